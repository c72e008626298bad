"""Figures of modular addition: one module per figure, and what several of them share."""

from tdw.families.modulo_addition_1layer.figures import (
    attention_patterns,
    comparison,
    learning,
    progress_measures,
    training_curves,
    weights,
)
from tdw.families.modulo_addition_1layer.figures.coarseness import (
    blob_count,
    coarseness_distribution,
    distribution_by_variant,
    early_coarseness,
    mean_coarseness,
    neuron_coarseness,
)
from tdw.families.modulo_addition_1layer.figures.neurons import (
    coarseness_by_frequency,
    dominant_frequencies,
    head_composition,
    multi_scale,
    neuron_clusters,
    scale_clusters,
)

PLOTS = (
    training_curves.PLOT,
    mean_coarseness.PLOT,
    coarseness_distribution.PLOT,
    neuron_coarseness.PLOT,
    blob_count.PLOT,
    dominant_frequencies.PLOT,
    neuron_clusters.PLOT,
    coarseness_by_frequency.PLOT,
    scale_clusters.PLOT,
    head_composition.PLOT,
    attention_patterns.PLOT,
    multi_scale.PLOT,
    multi_scale.LARGE,
    progress_measures.PLOT,
    *learning.PLOTS,
    *weights.PLOTS,
    early_coarseness.PLOT,
    comparison.PLOT,
    mean_coarseness.COMPARISON,
    distribution_by_variant.PLOT,
    neuron_coarseness.COMPARISON,
    blob_count.COMPARISON,
)

__all__ = ["PLOTS"]
