"""Figures of the weights: circuits of the heads, effective dimensions, the path through training."""

from tdw.families.modulo_addition_1layer.figures.weights import circuits, effective_dimensions, trajectory

PLOTS = (circuits.PLOT, effective_dimensions.PLOT, trajectory.PLOT)

__all__ = ["PLOTS"]
