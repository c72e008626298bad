"""From artifacts over epochs to one table of a variant: one module per summary. Imports no pandas."""

from tdw.families.modulo_addition_1layer.summaries import (
    coarseness,
    frequencies,
    grokking,
    heads,
    neuron_coarseness,
    neurons,
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
)

__all__ = ["SUMMARIES"]
