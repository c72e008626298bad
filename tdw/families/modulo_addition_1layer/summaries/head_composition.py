"""How the heads combine in blob and in plaid neurons, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers.neurons.head_composition import GROUPS, NAME
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch, group and head; see `SUMMARY`."""
    import pandas as pd

    groups = inputs.stack(NAME, "groups").astype(np.float64)  # (T, G, n)
    energy = inputs.stack(NAME, "read_energy").astype(np.float64)  # (T, H, n)
    by_frequency = inputs.stack(NAME, "energy_by_frequency").swapaxes(1, 2)  # (T, G, H, h)
    composition = inputs.stack(NAME, "composition").swapaxes(1, 2)  # (T, G, H)
    epochs, heads = energy.shape[:2]
    total = energy.sum(axis=1, keepdims=True)
    # Each neuron counts alike, whatever the size of what it reads.
    shares = np.divide(energy, total, out=np.zeros_like(energy), where=total > 0)
    strongest = np.where(by_frequency.any(axis=3), by_frequency.argmax(axis=3) + 1, 0)
    each = (epochs, len(GROUPS), heads)
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.array(inputs.epochs, np.int64), len(GROUPS) * heads),
        "group": np.tile(np.repeat(GROUPS, heads), epochs),
        "head": np.tile(np.arange(heads, dtype=np.int64), epochs * len(GROUPS)),
        "neurons": np.broadcast_to(groups.sum(axis=2).astype(np.int64)[..., None], each).ravel(),
        "share": _mean(shares[:, None], groups[:, :, None]).ravel(),
        "composition": np.where(np.any(groups, axis=2)[..., None], composition, np.nan).ravel(),
        "frequency": strongest.ravel(),
        "frequency_share": _ratio(by_frequency.max(axis=3), by_frequency.sum(axis=3)).ravel(),
    }
    for name in ("heads_per_neuron", "gain"):
        values = _mean(inputs.stack(NAME, name).astype(np.float64)[:, None], groups)
        columns[name] = np.broadcast_to(values[..., None], each).ravel()
    return pd.DataFrame(columns)


def _mean(values: npt.NDArray[np.float64], members: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over the members of a group along the last axis; NaN for an empty group."""
    shown = np.broadcast_to(members, np.broadcast_shapes(values.shape, members.shape))
    return _ratio((values * members).sum(axis=-1), shown.sum(axis=-1))


def _ratio(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def describe(table: Any) -> Metadata:
    """Heads per neuron and gain at the last epoch, by group."""
    last = table[(table["epoch"] == table["epoch"].max()) & (table["head"] == 0)].set_index("group")
    return {
        f"{group}_mean_{name}": float(last.at[group, name])
        for group in GROUPS
        for name in ("heads_per_neuron", "gain")
    }


SUMMARY = Summary(
    name=NAME,
    title="Head composition over epochs",
    description="""\
One row per epoch, group of neurons (`blob`, `plaid`) and head. `neurons`: in the group; `share`: the head's
share of what a neuron of the group reads, mean over its neurons; `composition`: ‖W_V W_O W_in‖ /
(‖W_V W_O‖ ‖W_in‖) with the group; `frequency`, `frequency_share`: the strongest frequency that the group
reads from the head, and its share. The same for all heads: `heads_per_neuron` and `gain`, means over the
neurons of the group. Empty for an empty group.
""",
    code_version="1",
    needs=(NAME,),
    function=compute,
    describe=describe,
)
