"""The registered summaries of a variant: an explicit list, added to by a person. Imports no pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.summaries import (
    coarseness,
    frequencies,
    heads,
    neuron_coarseness,
    neurons,
    progress_measures,
    relabelling,
)
from tdw.parameters import as_json, override
from tdw.recipes.common import grokking
from tdw.recipes.summary import Summary
from tdw.store.fingerprints import fingerprint_json, short

SUMMARIES: tuple[Summary, ...] = (
    coarseness.SUMMARY,
    neuron_coarseness.SUMMARY,
    grokking.SUMMARY,
    frequencies.SUMMARY,
    neurons.SUMMARY,
    heads.SUMMARY,
    progress_measures.SUMMARY,
    relabelling.SUMMARY,
)


def get_summary(name: str) -> Summary:
    """The summary called `name`.

    Raises:
        BadConfig: there is none; lists those there are.
    """
    for summary in SUMMARIES:
        if summary.name == name:
            return summary
    known = ", ".join(summary.name for summary in SUMMARIES)
    raise BadConfig(f"no summary is called {name[:80]!r}", f"use one of: {known}")


def resolve_options(name: str, values: Mapping[str, Any] | None = None) -> Any:
    """A summary's own parameters, from the fields that differ from the defaults.

    Raises:
        BadConfig: an unknown summary or field, or a value that can't be used; names it.
    """
    return override(name, get_summary(name).parameters, values or {})


def summary_version(name: str, options: Any = None) -> str:
    """Short hash of a summary's code version and its own parameters; its inputs are recorded apart."""
    summary = get_summary(name)
    own = as_json(summary.parameters() if options is None else options)
    return short(fingerprint_json({"name": name, "code_version": summary.code_version, "parameters": own}))
