"""Valid for every family: recipes that read the history alone, and measures of weights, loss and history."""

from tdw.recipes.common import training_curves

COMMON = (training_curves.PLOT,)

__all__ = ["COMMON"]
