"""Figures of what is learned when: outcome, pairs, commitment of neurons, geometry of the answers,
the gradient."""

from tdw.families.modulo_addition_1layer.figures.learning import (
    answer_circles,
    answer_geometry,
    class_accuracy,
    commitment,
    gradient_flow,
    gradient_sites,
    graduation,
    outcome,
)

PLOTS = (
    outcome.PLOT,
    commitment.PLOT,
    graduation.PLOT,
    class_accuracy.PLOT,
    answer_geometry.PLOT,
    answer_circles.PLOT,
    gradient_sites.PLOT,
    gradient_flow.PLOT,
)

__all__ = ["PLOTS"]
