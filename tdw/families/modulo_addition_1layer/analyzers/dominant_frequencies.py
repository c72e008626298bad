"""A5: the embedding in the Fourier basis of Z_p, and the frequencies that carry it.

The rule rests on the weights at hand alone: a frequency is dominant when its norm is at least `threshold` (2)
times the median norm over frequencies, and at least `relative` (0.3) of the largest.

- A random Gaussian embedding has frequency norms spread by 1 / (2 sqrt(d_model)) around one value, 4 % for
  d_model = 128, so the largest of 56 stands about 11 % above the median: none is reported at initialization.
- While a model memorizes, the norms spread, but the bulk stays near the median; the few frequencies that the
  model comes to use rise to several times of it.
- Late in training weight decay has emptied the others, and the median is that of the remnants. Without the
  second condition the larger remnants would count.

When more than half of the frequencies are used alike the median is among them and the rule reports none: it
finds what stands out, not what is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.zp_fourier import fourier_basis
from tdw.parameters import is_number, is_share, require
from tdw.recipes.analyzer import Analyzer, Metadata

EMBEDDING = "embed.W_E"


@dataclass(frozen=True)
class Parameters:
    """When a frequency stands out.

    Attributes:
        threshold: multiple of the median frequency norm that it reaches.
        relative: share of the largest frequency norm that it reaches.
    """

    threshold: float = 2.0
    relative: float = 0.3

    def __post_init__(self) -> None:
        require(
            is_number(self.threshold) and self.threshold > 1,
            "threshold",
            self.threshold,
            wanted="a multiple of the median above 1",
        )
        require(is_share(self.relative), "relative", self.relative, wanted="a share in 0..1")


def compute(context: CheckpointContext, parameters: Parameters) -> Arrays:
    """Norms of W_E's Fourier components, the tokens 0..p-1 only, and the dominant frequencies.

    Returns:
        fourier_norms: float64 (p,), by component: constant, cos 1, sin 1, ...
        frequency_norms: float64 (h,), sqrt(cos² + sin²) of each frequency 1..h.
        dominant_frequencies: int64 (k,), ascending; may be empty.
        median_norm, threshold_norm: float64, 0-d, the rule's numbers.
    """
    embedding = context.weight(EMBEDDING)[: context.p].astype(np.float64)
    norms = np.linalg.norm(fourier_basis(context.p) @ embedding, axis=1)
    frequency_norms = np.hypot(norms[1::2], norms[2::2])
    median = float(np.median(frequency_norms))
    limit = max(parameters.threshold * median, parameters.relative * float(frequency_norms.max()))
    dominant = np.flatnonzero((frequency_norms >= limit) & (frequency_norms > 0)) + 1
    return {
        "fourier_norms": norms,
        "frequency_norms": frequency_norms,
        "dominant_frequencies": dominant.astype(np.int64),
        "median_norm": np.array(median),
        "threshold_norm": np.array(limit),
    }


def describe(arrays: Arrays) -> Metadata:
    """The dominant frequencies."""
    found = arrays["dominant_frequencies"]
    return {
        "num_dominant_frequencies": len(found),
        "dominant_frequencies": " ".join(map(str, found.tolist())) or "none",
    }


ANALYZER = Analyzer(
    name="dominant_frequencies",
    title="Dominant embedding frequencies",
    description="""\
Norm of W_E (tokens 0..p-1) along each component of the orthonormal Fourier basis of Z_p: constant, then cos
k, sin k for k = 1..(p-1)/2 ([Nanda et al. 2023](https://arxiv.org/abs/2301.05217)). A frequency is dominant
when sqrt(cos² + sin²) is at least `threshold` (2) times the median over frequencies and `relative` (0.3)
times the largest, which leaves out the remnants of late training. A random embedding of width d has norms
spread by 1 / (2 sqrt d) around one value, so none is reported at initialization.
""",
    code_version="1",
    parameters=Parameters,
    function=compute,
    arrays={
        "fourier_norms": "float64 (p,), by component: constant, cos 1, sin 1, ...",
        "frequency_norms": "float64 ((p-1)/2,), of frequency 1, 2, ...",
        "dominant_frequencies": "int64 (k,), ascending, may be empty",
        "median_norm": "float64 (), median of frequency_norms",
        "threshold_norm": "float64 (), what a dominant frequency reaches",
    },
    describe=describe,
)
