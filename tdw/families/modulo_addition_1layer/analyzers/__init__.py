"""From one checkpoint to named arrays: one module per analyzer. Importing one imports no torch."""

from tdw.families.modulo_addition_1layer.analyzers import (
    answers,
    attention_patterns,
    coarseness,
    coarseness_stats,
    dominant_frequencies,
    downsampled_activations,
    neuron_activations,
    neuron_frequencies,
    neurons,
    progress_measures,
    relabelling,
    site_geometry,
    weight_spectra,
)
from tdw.families.modulo_addition_1layer.analyzers.learning import gradients

ANALYZERS = (
    neuron_activations.ANALYZER,
    attention_patterns.ANALYZER,
    dominant_frequencies.ANALYZER,
    neuron_frequencies.ANALYZER,
    downsampled_activations.ANALYZER,
    coarseness.ANALYZER,
    coarseness_stats.ANALYZER,
    progress_measures.ANALYZER,
    relabelling.ANALYZER,
    weight_spectra.ANALYZER,
    answers.ANALYZER,
    site_geometry.ANALYZER,
    *neurons.ANALYZERS,
    gradients.ANALYZER,
)

__all__ = ["ANALYZERS"]
