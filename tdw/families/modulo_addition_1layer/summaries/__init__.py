"""From artifacts over epochs to one table of a variant: one module per summary. Imports no pandas."""

from tdw.families.modulo_addition_1layer.summaries import (
    answer_geometry,
    circuits,
    coarseness,
    commitment,
    effective_dimensions,
    frequencies,
    graduation,
    grokking,
    heads,
    neuron_coarseness,
    neurons,
    outcome,
    progress_measures,
    relabelling,
)

SUMMARIES = (
    coarseness.SUMMARY,
    neuron_coarseness.SUMMARY,
    grokking.SUMMARY,
    frequencies.SUMMARY,
    neurons.SUMMARY,
    heads.SUMMARY,
    progress_measures.SUMMARY,
    relabelling.SUMMARY,
    outcome.SUMMARY,
    circuits.SUMMARY,
    effective_dimensions.SUMMARY,
    commitment.SUMMARY,
    graduation.SUMMARY,
    answer_geometry.SUMMARY,
)

__all__ = ["SUMMARIES"]
