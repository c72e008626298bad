"""The recipes of a family whose contexts know its training loss. All are off by default."""

from __future__ import annotations

from tdw.recipes.common.landscape import analyzers, figures, tables

RECIPES = (
    analyzers.CURVATURE,
    analyzers.LEARNING_COEFFICIENT,
    tables.CURVATURE_TABLE,
    tables.COEFFICIENT_TABLE,
    figures.CURVATURE_PLOT,
    figures.COEFFICIENT_PLOT,
)
