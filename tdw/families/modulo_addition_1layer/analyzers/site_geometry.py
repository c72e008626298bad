"""A19: how the classes of one answer lie at four sites of the residual stream."""

from __future__ import annotations

import numpy as np

from tdw.families.modulo_addition_1layer.context import Arrays, CheckpointContext
from tdw.families.modulo_addition_1layer.maths.geometry import geometry, stacked
from tdw.families.modulo_addition_1layer.maths.sites import SITES
from tdw.families.operations import unequal_answers
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.summary import NoParameters


def compute(context: CheckpointContext, parameters: NoParameters) -> Arrays:
    """Arrays of `maths.geometry.Geometry`, site first, in the order of `SITES`."""
    rows = np.argsort(context.labels.answers, kind="stable").reshape(context.p, -1)
    found = stacked([geometry(context.probe.sites[site], rows) for site in SITES])
    return {name: np.nan_to_num(array) for name, array in found.items()}


def describe(arrays: Arrays) -> Metadata:
    """Of the residual stream after the MLP."""
    last = len(SITES) - 1
    return {
        "resid_post_snr": float(arrays["snr"][last]),
        "resid_post_circularity": float(arrays["circularity"][last]),
        "resid_post_frequency": int(arrays["alignment_frequency"][last]),
    }


ANALYZER = Analyzer(
    name="site_geometry",
    title="Geometry of answers",
    description="""\
Inputs with one answer, such as (a + b) mod p, form a class; X are the activations at "=", at four sites
(`resid_pre`, `attn_out`, `mlp_out`, `resid_post`). *SNR* is the variance between class means over that
within classes. *Circularity*: how well a circle ([Kåsa 1976](https://doi.org/10.1109/TIM.1976.6312298))
fits the means on their first two principal components, times the share of variance there, times var₂ /
var₁. *Alignment* is max over k of |mean exp(i (φ_r − 2πkr/p))|², with φ_r the angle of class r about the
center. *Roundness* of the ellipse that cos k and sin k draw needs no choice of a plane. NaN where nothing
varies: before attention, "=" is the same for every pair. Refused for operations whose answers are not
equally frequent.
""",
    code_version="2",
    parameters=NoParameters,
    function=compute,
    arrays={
        "radius": "float64 (4,), [site]; root mean squared distance from the class mean",
        "spread": "float64 (4,), root mean squared distance of class means from their mean",
        "snr": "float64 (4,), (spread / radius)²",
        "fisher_mean": "float64 (4,), mean over pairs of classes of Fisher's ratio",
        "fisher_min": "float64 (4,), the smallest",
        "fisher_worst": "int64 (4, 2), the pair of answers with the smallest",
        "circularity": "float64 (4,), 0-1",
        "alignment": "float64 (4,), 0-1",
        "alignment_frequency": "int64 (4,), 1..(p-1)/2; 0 where there is none",
        "center": "float64 (4, 2), of the fitted circle",
        "circle_radius": "float64 (4,), of the fitted circle",
        "plane": "float32 (4, p, 2), class means on their first two principal components",
        "frequency_shares": "float64 (4, (p-1)/2), of the variance of class means; sums to 1",
        "roundness": "float64 (4, (p-1)/2), 1 for a circle, 0 for a line",
        "class_dimensions": "float64 (4, p), participation ratio of each class' covariance",
    },
    describe=describe,
    refuses=unequal_answers,
)
