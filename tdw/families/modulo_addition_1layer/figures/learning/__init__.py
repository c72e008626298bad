"""Figures of what is learned when: outcome, pairs, commitment of neurons, geometry of the answers."""

from tdw.families.modulo_addition_1layer.figures.learning import (
    answer_circles,
    answer_geometry,
    class_accuracy,
    commitment,
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
)

__all__ = ["PLOTS"]
