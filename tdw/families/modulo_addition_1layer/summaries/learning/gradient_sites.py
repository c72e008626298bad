"""A20 over training: energy of the gradient by site, its strongest frequency, and which sites go together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers.learning import gradients
from tdw.families.modulo_addition_1layer.maths.learning.gradient_sites import SITES
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch and site; see `SUMMARY`."""
    import pandas as pd

    energy = inputs.stack(gradients.NAME, "energy")
    cosines = inputs.stack(gradients.NAME, "cosines")
    total = energy.sum(axis=2)
    strongest = energy.max(axis=2)
    return pd.DataFrame(
        {
            "epoch": np.repeat(np.array(inputs.epochs, np.int64), len(SITES)),
            "site": list(SITES) * len(inputs.epochs),
            "energy": total.ravel(),
            "frequency": np.where(total > 0, energy.argmax(axis=2) + 1, 0).ravel(),
            "frequency_share": np.divide(strongest, total, out=np.zeros_like(total), where=total > 0).ravel(),
            **{f"cosine_{site}": cosines[:, :, i].ravel() for i, site in enumerate(SITES)},
            "gradient_norm": np.repeat(inputs.stack(gradients.NAME, "norm"), len(SITES)),
        }
    )


SUMMARY = Summary(
    name="gradient_sites",
    title="Training gradient by site over epochs",
    description="""\
One row per epoch and site (W_E, Q, K, V, W_in): `energy` of the training gradient over all frequencies; its
strongest `frequency` (0 where there is none) and that one's share; `cosine_` of its amplitudes with those of
each site; `gradient_norm`, the length of the gradient of all weights, the same for every site.
""",
    code_version="1",
    needs=(gradients.NAME,),
    function=compute,
)
