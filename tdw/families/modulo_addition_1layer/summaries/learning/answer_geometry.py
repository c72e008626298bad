"""A19 over training: how the classes of one answer lie at each site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers import site_geometry
from tdw.families.modulo_addition_1layer.maths.sites import SITES
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd

GEOMETRY = site_geometry.ANALYZER.name
COLUMNS = (
    "radius", "spread", "snr", "fisher_mean", "fisher_min", "circularity", "alignment", "alignment_frequency",
)  # fmt: skip


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch and site; see `SUMMARY`."""
    import pandas as pd

    columns: dict[str, Any] = {
        "epoch": np.repeat(np.array(inputs.epochs, np.int64), len(SITES)),
        "site": np.tile(np.array(SITES), len(inputs.epochs)),
    }
    columns |= {name: inputs.stack(GEOMETRY, name).ravel() for name in COLUMNS}
    columns["mean_class_dimensions"] = inputs.stack(GEOMETRY, "class_dimensions").mean(axis=2).ravel()
    table = pd.DataFrame(columns)
    ratios = ["snr", "fisher_mean", "fisher_min", "circularity", "alignment", "mean_class_dimensions"]
    return table.assign(**{name: table[name].where(table["spread"] > 0) for name in ratios})


SUMMARY = Summary(
    name="answer_geometry",
    title="Geometry of answers over epochs",
    description="""\
One row per epoch and site: root mean squared radius of a class and spread of the class means (units of the
activations), their squared ratio `snr`, Fisher's ratio over pairs of classes (mean and smallest),
circularity, alignment (0 to 1) and the frequency at which it is reached, and the mean participation ratio
of a class. NaN where nothing varies.
""",
    code_version="1",
    needs=(GEOMETRY,),
    function=compute,
)
