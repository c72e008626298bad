"""Figures of Markov chains in context, beside those of every transformer."""

from tdw.families.markov_icl.figures import loss_by_position, order, phases

PLOTS = (phases.PLOT, loss_by_position.PLOT, order.PLOT)

__all__ = ["PLOTS"]
