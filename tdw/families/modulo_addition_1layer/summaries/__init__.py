"""From artifacts over epochs to one table of a variant: one module per summary. Imports no pandas."""

from tdw.families.modulo_addition_1layer.summaries import (
    blob_onset,
    coarseness,
    coarseness_by_frequency,
    frequencies,
    head_composition,
    heads,
    neuron_coarseness,
    neurons,
    progress_measures,
    relabelling,
    scale_clusters,
)
from tdw.families.modulo_addition_1layer.summaries.learning import (
    answer_geometry,
    commitment,
    gradient_flow,
    gradient_sites,
    graduation,
    grokking,
    outcome,
)
from tdw.families.modulo_addition_1layer.summaries.weights import circuits, effective_dimensions

SUMMARIES = (
    coarseness.SUMMARY,
    neuron_coarseness.SUMMARY,
    grokking.SUMMARY,
    frequencies.SUMMARY,
    neurons.SUMMARY,
    heads.SUMMARY,
    progress_measures.SUMMARY,
    relabelling.SUMMARY,
    blob_onset.SUMMARY,
    coarseness_by_frequency.SUMMARY,
    scale_clusters.SUMMARY,
    head_composition.SUMMARY,
    outcome.SUMMARY,
    circuits.SUMMARY,
    effective_dimensions.SUMMARY,
    commitment.SUMMARY,
    graduation.SUMMARY,
    answer_geometry.SUMMARY,
    gradient_sites.SUMMARY,
    gradient_flow.SUMMARY,
)

__all__ = ["SUMMARIES"]
