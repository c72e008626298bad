"""Recipes that are valid for every family: they read the training history alone."""

from tdw.recipes.common import training_curves

COMMON = (training_curves.PLOT,)

__all__ = ["COMMON"]
