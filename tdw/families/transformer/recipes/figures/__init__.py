"""Figures of every transformer of the kit: one module each, with no task and no number of layers."""

from tdw.families.transformer.recipes.figures import (
    attention_patterns,
    head_scores,
    logit_attribution,
    logit_lens,
    loss_by_position,
)

PLOTS = (
    attention_patterns.PLOT,
    head_scores.PLOT,
    loss_by_position.PLOT,
    logit_lens.PLOT,
    logit_attribution.PLOT,
)

__all__ = ["PLOTS"]
