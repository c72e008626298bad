"""S1: the (epoch x neuron) coarseness matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tdw.families.modulo_addition_1layer.analyzers.coarseness import ANALYZER, COARSENESS
from tdw.recipes.summary import Inputs, NoParameters, Summary

if TYPE_CHECKING:
    import pandas as pd


def compute(inputs: Inputs, parameters: NoParameters) -> pd.DataFrame:
    """One row per epoch: column epoch, then the coarseness of neurons under '0', '1', ... (float32)."""
    import pandas as pd

    matrix = inputs.stack(ANALYZER.name, COARSENESS)
    table = pd.DataFrame(matrix, columns=[str(neuron) for neuron in range(matrix.shape[1])])
    table.insert(0, "epoch", np.array(inputs.epochs, np.int64))
    return table


SUMMARY = Summary(
    name="neuron_coarseness",
    title="Coarseness by neuron and epoch",
    description="""\
One row per epoch, a column per neuron (`0`, `1`, ...): its coarseness, 0 to 1; a dead neuron has 0.
""",
    code_version="1",
    needs=(ANALYZER.name,),
    function=compute,
)
