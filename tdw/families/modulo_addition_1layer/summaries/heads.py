"""S4: at what scale each head works, by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.families.modulo_addition_1layer.analyzers import attention_patterns, coarseness
from tdw.parameters import is_number, is_share, require
from tdw.recipes.analyzer import Metadata
from tdw.recipes.summary import Inputs, Summary

if TYPE_CHECKING:
    import pandas as pd

SCALES = coarseness.ANALYZER.name
PATTERNS = attention_patterns.ANALYZER.name
COARSE, FINE, MIXED, FLAT = "coarse", "fine", "mixed", "flat"


@dataclass(frozen=True)
class Parameters:
    """Where coarse begins and fine ends.

    Attributes:
        coarse_from: coarseness of a coarse map, at least.
        fine_below: coarseness of a fine map, below.
        roughness: relative gradient, gradient / std, of a coarse map at most, of a fine map above. 0.5 is
            what
            cos(w (a + b)) has on the edge of the low disc, the largest of all plane waves inside it; white
            noise has 1.13.
    """

    coarse_from: float = 0.7
    fine_below: float = 0.5
    roughness: float = 0.5

    def __post_init__(self) -> None:
        require(
            is_share(self.coarse_from) and is_share(self.fine_below) and self.fine_below <= self.coarse_from,
            "fine_below, coarse_from",
            (self.fine_below, self.coarse_from),
            wanted="two shares in 0..1, fine_below at most coarse_from",
        )
        require(
            is_number(self.roughness) and self.roughness > 0,
            "roughness",
            self.roughness,
            wanted="a number above 0",
        )


def scale_labels(
    values: npt.NDArray[np.floating],
    roughness: npt.NDArray[np.floating],
    dead: npt.NDArray[np.bool_],
    *,
    parameters: Parameters | None = None,
) -> npt.NDArray[np.str_]:
    """The scale of maps from coarseness, relative gradient and constancy, all of one shape.

    coarse: coarseness >= 0.7 and relative gradient <= 0.5. fine: coarseness < 0.5 and relative gradient >
        0.5.
    flat: a constant map. mixed: everything else.
    """
    rule = parameters or Parameters()
    coarse = (values >= rule.coarse_from) & (roughness <= rule.roughness)
    fine = (values < rule.fine_below) & (roughness > rule.roughness)
    return np.select([dead, coarse, fine], [FLAT, COARSE, FINE], MIXED)


def compute(inputs: Inputs, parameters: Parameters) -> pd.DataFrame:
    """One row per epoch and head; see `SUMMARY`."""
    import pandas as pd

    sides = {side: _side(inputs, side, parameters) for side in ("a", "b")}
    scale_a, scale_b = sides["a"]["scale_a"], sides["b"]["scale_b"]
    epochs, heads = len(inputs.epochs), int(inputs.stack(SCALES, "head_a_dead").shape[1])
    attention = np.stack(
        [arrays[PATTERNS].mean(axis=(2, 3), dtype=np.float64) for arrays in inputs.artifacts[PATTERNS]]
    )
    columns: dict[str, Any] = {
        "epoch": np.repeat(np.array(inputs.epochs, np.int64), heads),
        "head": np.tile(np.arange(heads), epochs),
        "scale": np.where(scale_a == scale_b, scale_a, MIXED).ravel(),
        "coarseness": (sides["a"]["coarseness_a"] + sides["b"]["coarseness_b"]).ravel() / 2,
    }
    columns |= {name: array.ravel() for side in sides.values() for name, array in side.items()}
    columns |= {
        f"mean_attention_to_{to}": attention[:, :, i].ravel() for i, to in enumerate(("a", "b", "equals"))
    }
    return pd.DataFrame(columns)


def _side(inputs: Inputs, side: str, parameters: Parameters) -> dict[str, npt.NDArray[Any]]:
    """Columns of the attention to a or to b, each (epochs, n_heads)."""

    def stack(name: str) -> npt.NDArray[np.float64]:
        return inputs.stack(SCALES, f"head_{side}_{name}").astype(np.float64)

    values, gradient, std = stack("fft_ratio_no_dc"), stack("gradient"), stack("std")
    roughness = np.divide(gradient, std, out=np.zeros_like(std), where=std > 0)
    dead = inputs.stack(SCALES, f"head_{side}_dead")
    return {
        f"scale_{side}": scale_labels(values, roughness, dead, parameters=parameters),
        f"coarseness_{side}": values,
        f"gradient_{side}": gradient,
        f"std_{side}": std,
        f"roughness_{side}": roughness,
        f"variance_preserved_{side}": stack("variance_preserved"),
        f"modular_low_freq_{side}": stack("modular_low_freq"),
    }


def describe(table: pd.DataFrame) -> Metadata:
    """The last epoch's labels, by head."""
    epochs = table["epoch"].to_numpy(np.int64)
    scales = table["scale"].to_numpy(str)[epochs == epochs.max()]
    return {"last_epoch": int(epochs.max()), "final_scales": " ".join(map(str, scales))}


SUMMARY = Summary(
    name="heads",
    title="Heads over epochs",
    description="""\
One row per epoch and head. `scale_a`, `scale_b` label the attention to a and to b: *coarse* when coarseness
is at least 0.7 and the relative gradient `roughness` (gradient / std) at most 0.5; *fine* when coarseness is
below 0.5 and the relative gradient above 0.5; *flat* for a constant map; else *mixed*. `scale` is the label
both share, else *mixed*. 0.5 is the relative gradient of the steepest plane wave inside the low disc; white
noise has 1.13. Beside them, for each side, what they rest on, and the mean attention to a, b and "=".
""",
    code_version="1",
    needs=(SCALES, PATTERNS),
    function=compute,
    parameters=Parameters,
    describe=describe,
)
