"""Recipes of every transformer of the kit: attention, head scores, loss by position, lens, attribution.

They read a `TransformerContext`, so a family opens its checkpoints as one. They name no task, no test set and
no number of layers. A family adds them to its own: `recipes=(*RECIPES, ...)`.
"""

from tdw.families.transformer.recipes import analyzers, figures, tables

RECIPES = (*analyzers.ANALYZERS, *tables.SUMMARIES, *figures.PLOTS)

__all__ = ["RECIPES"]
