"""The recipes of a family whose contexts know its training loss. All are off by default."""

from __future__ import annotations

from tdw.recipes.common.landscape import analyzers, figures, tables

CURVATURE = (analyzers.CURVATURE, tables.CURVATURE_TABLE, figures.CURVATURE_PLOT)
LEARNING_COEFFICIENT = (analyzers.LEARNING_COEFFICIENT, tables.COEFFICIENT_TABLE, figures.COEFFICIENT_PLOT)
"""For a loss that is the mean negative log-likelihood of a sample: n times it is what the posterior has."""
RECIPES = (*CURVATURE, *LEARNING_COEFFICIENT)
