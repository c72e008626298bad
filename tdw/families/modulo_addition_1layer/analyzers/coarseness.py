"""A8: at what scale each neuron and each head works; the headline, *coarseness*, is `fft_ratio_no_dc`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.coarseness import scale_metrics as metrics
from tdw.families.zp_fourier import Float32, Spectra
from tdw.parameters import is_count, is_number, require
from tdw.recipes.analyzer import Analyzer, Metadata

NAME = "coarseness"
COARSENESS = "neuron_fft_ratio_no_dc"


@dataclass(frozen=True)
class Parameters:
    """Where low ends.

    Attributes:
        radius_fraction: radius of the low disc as a share of p; the radius is int(radius_fraction p).
        bottleneck: width of the small map that `variance_preserved` goes through.
        low_frequencies: `modular_low_freq` counts the frequencies 1..low_frequencies.
    """

    radius_fraction: float = 0.125
    bottleneck: int = 14
    low_frequencies: int = 3

    def __post_init__(self) -> None:
        require(
            is_number(self.radius_fraction) and 0 < self.radius_fraction <= 0.5,
            "radius_fraction",
            self.radius_fraction,
            wanted="a share above 0 and at most 0.5",
        )
        for field in ("bottleneck", "low_frequencies"):
            value = getattr(self, field)
            require(is_count(value), field, value, wanted="a whole number above 0")


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """The five metrics of every neuron (`neuron_*`) and of every head to a and to b (`head_a_*`, `head_b_*`).

    Returns:
        `*_fft_ratio`, `*_fft_ratio_no_dc`, `*_variance_preserved`, `*_gradient`, `*_modular_low_freq`:
        float32 (n,).
        `*_std`: float32 (n,), standard deviation of the map, the unit in which a gradient is large or small.
        `*_dead`: bool (n,), constant maps.
        `radius_fraction`: float64, 0-d, the parameter, for what builds on these.
    """
    to_a, to_b = context.head_maps
    spectra_a, spectra_b = context.head_spectra
    return {
        **_measure("neuron", context.neuron_maps, context.neuron_spectra, parameters),
        **_measure("head_a", to_a, spectra_a, parameters),
        **_measure("head_b", to_b, spectra_b, parameters),
        "radius_fraction": np.array(parameters.radius_fraction, np.float64),
    }


def _measure(prefix: str, maps: Float32, spectra: Spectra, parameters: Parameters) -> Arrays:
    radius = parameters.radius_fraction
    values = {
        "fft_ratio": metrics.fft_ratio(spectra, radius_fraction=radius),
        "fft_ratio_no_dc": metrics.fft_ratio_no_dc(spectra, radius_fraction=radius),
        "variance_preserved": metrics.variance_preserved(maps, spectra, bottleneck=parameters.bottleneck),
        "gradient": metrics.gradient(maps),
        "modular_low_freq": metrics.modular_low_freq(spectra, low_frequencies=parameters.low_frequencies),
        "std": np.sqrt(spectra.variance),
    }
    arrays: dict[str, np.ndarray] = {f"{prefix}_{name}": v.astype(np.float32) for name, v in values.items()}
    return {**arrays, f"{prefix}_dead": spectra.constant}


def describe(arrays: Arrays) -> Metadata:
    """Mean coarseness of neurons and heads, and dead neurons."""
    heads = np.concatenate([arrays["head_a_fft_ratio_no_dc"], arrays["head_b_fft_ratio_no_dc"]])
    return {
        "mean_coarseness": float(arrays[COARSENESS].mean(dtype=np.float64)),
        "mean_head_coarseness": float(heads.mean(dtype=np.float64)),
        "num_dead_neurons": int(arrays["neuron_dead"].sum()),
    }


_MEANING = {
    "fft_ratio": "share of |fft2|² inside the low disc",
    "fft_ratio_no_dc": "the same without the center pixel: coarseness",
    "variance_preserved": "variance left after p -> bottleneck -> p",
    "gradient": "(mean |dx| + mean |dy|) / 2",
    "modular_low_freq": "share of the variance in the lowest frequencies",
    "std": "standard deviation of the map",
}

ANALYZER = Analyzer(
    name=NAME,
    title="Coarseness",
    description="""\
At what scale each neuron, and each head's attention to a and to b, works. **Coarseness** is
`fft_ratio_no_dc`: of |fft2|² shifted to the center, center pixel zeroed, the share inside the disc of
radius int(0.125 p), edge included, around (p // 2, p // 2). A neuron at 0.7 or above is a *blob*, below 0.5
*plaid*. Beside it: the same with the constant, the variance left after bilinear p → 14 → p, the mean
absolute difference of neighbors, and the share of the variance in frequencies 1 to 3. A dead neuron
(constant map) has coarseness 0.

*Low* depends on how residues are labeled, which the task cannot see: read it beside the relabelling control.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={
        **{
            f"{prefix}_{name}": f"float32 ({n},), {meaning}"
            for prefix, n in (("neuron", "d_mlp"), ("head_a", "n_heads"), ("head_b", "n_heads"))
            for name, meaning in _MEANING.items()
        },
        "neuron_dead": "bool (d_mlp,), constant maps",
        "head_a_dead": "bool (n_heads,)",
        "head_b_dead": "bool (n_heads,)",
        "radius_fraction": "float64 (), the parameter",
    },
    describe=describe,
)
