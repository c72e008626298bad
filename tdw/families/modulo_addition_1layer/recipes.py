"""The recipes of modular addition, in the order in which they are shown."""

from __future__ import annotations

from tdw.families.modulo_addition_1layer import analyzers, figures, summaries
from tdw.recipes.common.landscape import recipes as landscape

RECIPES = (*analyzers.ANALYZERS, *summaries.SUMMARIES, *figures.PLOTS, *landscape.RECIPES)
