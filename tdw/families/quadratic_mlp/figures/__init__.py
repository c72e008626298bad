"""Figures of the quadratic network: its neurons over training, their phases, weights and maps."""

from tdw.families.quadratic_mlp.figures import neuron_maps, neuron_weights, neurons, phases

PLOTS = (neurons.PLOT, phases.PLOT, neuron_weights.PLOT, neuron_maps.PLOT)

__all__ = ["PLOTS"]
