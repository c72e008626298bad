"""Which neurons P7 draws, and where their maps and those of the heads are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import (
    attention_patterns,
    downsampled_activations,
    neuron_activations,
)
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import resize
from tdw.parameters import is_count, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tdw.recipes.reading.reader import VariantReader

SMALL = downsampled_activations.ANALYZER.name
FULL = neuron_activations.ANALYZER.name
ATTENTION = attention_patterns.ANALYZER.name
Float32 = npt.NDArray[np.float32]
MOST = 64
"""Neurons that can be asked for."""


@dataclass(frozen=True)
class Parameters:
    """Which maps, and how large.

    Attributes:
        neurons: indices; None for `num_neurons` spread evenly over the ranks of coarseness at the last epoch.
        num_neurons: how many, when `neurons` is None.
        target_size: width of the small maps; None for the width that `downsampled_activations` has. Any
            other width is made from the full maps.
    """

    neurons: tuple[int, ...] | None = None
    num_neurons: int = 16
    target_size: int | None = None

    def __post_init__(self) -> None:
        require(
            self.neurons is None or _are_indices(self.neurons),
            "neurons",
            self.neurons,
            wanted=f"1 to {MOST} indices from 0, or null for a spread",
        )
        for field in ("num_neurons", "target_size"):
            value = getattr(self, field)
            small: bool = is_count(value) and int(value) <= 256
            require(
                small or (value is None and field == "target_size"),
                field,
                value,
                wanted="a whole number from 1 to 256",
            )


def _are_indices(value: object) -> bool:
    if not isinstance(value, tuple):
        return False
    chosen = cast("tuple[object, ...]", value)
    return 0 < len(chosen) <= MOST and all(is_count(i, least=0) for i in chosen)


@dataclass(frozen=True)
class LargeParameters(Parameters):
    """The same at 56 × 56."""

    target_size: int | None = 56


@dataclass(frozen=True)
class Maps:
    """Maps at one epoch: neurons float32 (n, t, t), attention to a and to b float32 (heads, t, t)."""

    neurons: Float32
    to_a: Float32
    to_b: Float32
    p: int


def epochs(reader: VariantReader, parameters: Parameters) -> list[int]:
    """Epochs of which there are maps, ascending. Raises NotFound."""
    if parameters.target_size is None:
        return reader.epochs(SMALL)
    return sorted(set(reader.epochs(FULL)) & set(reader.epochs(ATTENTION)))


def read(reader: VariantReader, epoch: int, parameters: Parameters, *, neurons: Sequence[int]) -> Maps:
    """The maps of some neurons, and of all heads, in the size that is asked for."""
    size = parameters.target_size
    if size is None:
        arrays = reader.artifact(SMALL, epoch)
        return Maps(
            arrays[downsampled_activations.NEURONS][list(neurons)],
            arrays[downsampled_activations.TO_A],
            arrays[downsampled_activations.TO_B],
            int(arrays["p"]),
        )
    maps = reader.rows(FULL, epoch, name=FULL, rows=list(neurons))
    attention = reader.artifact(ATTENTION, epoch)[ATTENTION]
    to_a, to_b = (resize(attention[:, side], size) for side in (0, 1))
    return Maps(resize(maps, size), to_a, to_b, attention.shape[-1])


def choose(
    reader: VariantReader, epoch: int, parameters: Parameters
) -> tuple[list[int], npt.NDArray[np.float64]]:
    """The neurons to draw, and their coarseness at the last epoch, NaN where it is not known.

    Raises:
        BadConfig: a neuron is asked for that is not there.
    """
    table = reader.optional_summary("neuron_coarseness")
    if table is not None:  # the maps need not be read to count them
        have = table.shape[1] - 1
        final = table.sort_values("epoch").iloc[-1].drop("epoch").to_numpy(np.float64)
    else:
        name, array = (
            (SMALL, downsampled_activations.NEURONS) if parameters.target_size is None else (FULL, FULL)
        )
        have = len(reader.artifact(name, epoch)[array])
        final = np.full(have, np.nan)
    if parameters.neurons is not None:
        outside = [i for i in parameters.neurons if i >= have]
        if outside:
            raise BadConfig(
                f"{reader.variant} has no neuron {outside[0]}", f"use indices from 0 to {have - 1}"
            )
        chosen = list(parameters.neurons)
    else:
        alive = np.flatnonzero(~(final == 0))
        ranked = alive[np.argsort(-final[alive], kind="stable")] if len(alive) else np.arange(have)
        places = np.linspace(0, len(ranked) - 1, min(parameters.num_neurons, len(ranked))).round().astype(int)
        chosen = [int(i) for i in ranked[np.unique(places)]]
    return chosen, final[chosen]
