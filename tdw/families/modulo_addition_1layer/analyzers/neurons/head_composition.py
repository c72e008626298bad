"""How attention heads combine in blob and in plaid neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import coarseness
from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.head_composition import head_composition
from tdw.parameters import is_share, require
from tdw.recipes.analyzer import Analyzer, Metadata

NAME = "head_composition"
GROUPS = ("blob", "plaid")
WEIGHTS = ("embed.W_E", "blocks.0.attn.W_V", "blocks.0.attn.W_O", "blocks.0.mlp.W_in")


@dataclass(frozen=True)
class Parameters:
    """What blob and plaid neurons are; the same as for `coarseness_stats`.

    Attributes:
        blob_from: coarseness of a blob, at least.
        plaid_below: coarseness of a plaid neuron, below.
    """

    blob_from: float = 0.7
    plaid_below: float = 0.5

    def __post_init__(self) -> None:
        require(
            is_share(self.blob_from) and is_share(self.plaid_below) and self.plaid_below <= self.blob_from,
            "plaid_below, blob_from",
            (self.plaid_below, self.blob_from),
            wanted="two shares in 0..1, plaid_below at most blob_from",
        )


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """The arrays that `ANALYZER` lists."""
    scales = context.results[coarseness.NAME]
    values, dead = scales[coarseness.COARSENESS], scales["neuron_dead"]
    groups = np.stack([values >= parameters.blob_from, (values < parameters.plaid_below) & ~dead])
    found = head_composition({name: context.weight(name) for name in WEIGHTS}, groups)
    by_neuron = {"read_energy", "heads_per_neuron", "gain"}
    return {
        **{name: array.astype(np.float32) if name in by_neuron else array for name, array in found.items()},
        "groups": groups,
    }


def describe(arrays: Arrays) -> Metadata:
    """Heads per neuron and gain, mean of each group; NaN for an empty one."""
    found: Metadata = {}
    for group, members in zip(GROUPS, arrays["groups"], strict=True):
        for name in ("heads_per_neuron", "gain"):
            values = arrays[name][members]
            found[f"{group}_mean_{name}"] = (
                float(values.mean(dtype=np.float64)) if values.size else float("nan")
            )
    return found


ANALYZER = Analyzer(
    name=NAME,
    title="Head composition",
    description="""\
Through head h, a residue at full attention adds a row of T_h = C W_V W_O W_in to the neurons'
pre-activations, C being W_E[:p] less its mean: T_h[:, n] is the function of the residue that neuron n reads
from the head. *Read energy* ‖T_h[:, n]‖²; *heads per neuron* 1 / Σ_h share², from the shares of the heads;
*gain* ‖Σ_h T_h[:, n]‖² / Σ_h ‖T_h[:, n]‖²: the number of heads where all say the same, 1 where they are
unrelated, 0 where they cancel. *Composition* of a head with a group of neurons is ‖W_V W_O W_in‖ /
(‖W_V W_O‖ ‖W_in‖) in Frobenius norms ([Elhage et al.
2021](https://transformer-circuits.pub/2021/framework/index.html)). The groups are blobs (coarseness ≥ 0.7)
and plaid neurons (< 0.5, dead ones left out).
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    requires=(coarseness.NAME,),
    arrays={
        "groups": "bool (2, d_mlp), [blob | plaid]",
        "read_energy": "float32 (n_heads, d_mlp), what each neuron reads from each head",
        "heads_per_neuron": "float32 (d_mlp,), 1 to n_heads; 0 for a neuron that reads nothing",
        "gain": "float32 (d_mlp,), 0 to n_heads",
        "composition": "float64 (n_heads, 2), with each group, 0-1; 0 for an empty one",
        "energy_by_frequency": "float64 (n_heads, 2, (p-1)/2), read energy of each group by frequency",
    },
    describe=describe,
)
