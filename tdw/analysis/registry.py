"""The registered analyzers: an explicit list, added to by a person. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.analyzers import (
    attention_patterns,
    coarseness,
    coarseness_stats,
    dominant_frequencies,
    downsampled_activations,
    neuron_activations,
    neuron_frequencies,
    progress_measures,
    relabelling,
)
from tdw.parameters import as_json, override
from tdw.recipes.analyzer import Analyzer
from tdw.store.fingerprints import fingerprint_json, short
from tdw.store.provenance import Provenance

ParametersByName = Mapping[str, Any]
"""Analyzer name -> its parameters dataclass; those that are not named have their defaults."""


ANALYZERS: tuple[Analyzer, ...] = (
    neuron_activations.ANALYZER,
    attention_patterns.ANALYZER,
    dominant_frequencies.ANALYZER,
    neuron_frequencies.ANALYZER,
    downsampled_activations.ANALYZER,
    coarseness.ANALYZER,
    coarseness_stats.ANALYZER,
    progress_measures.ANALYZER,
    relabelling.ANALYZER,
)


def get_analyzer(name: str) -> Analyzer:
    """The analyzer called `name`.

    Raises:
        BadConfig: there is none; lists those there are.
    """
    for analyzer in ANALYZERS:
        if analyzer.name == name:
            return analyzer
    known = ", ".join(analyzer.name for analyzer in ANALYZERS)
    raise BadConfig(f"no analyzer is called {name[:80]!r}", f"use one of: {known}")


def in_order(names: Iterable[str]) -> list[Analyzer]:
    """The named analyzers in the registry's order, but each after those it requires (which are not added)."""
    wanted = [get_analyzer(name) for name in names]
    ordered: list[Analyzer] = []

    def add(analyzer: Analyzer) -> None:
        if analyzer in ordered:
            return
        for required in analyzer.requires:
            add(get_analyzer(required))
        ordered.append(analyzer)

    for analyzer in ANALYZERS:
        add(analyzer)
    return [analyzer for analyzer in ordered if analyzer in wanted]


def parameters_of(name: str, parameters: ParametersByName | None = None) -> Any:
    """The parameters dataclass of an analyzer: the given one, or its defaults.

    Raises:
        BadConfig: a value of another type than the analyzer's parameters.
    """
    analyzer = get_analyzer(name)
    given = (parameters or {}).get(name)
    if given is None:
        return analyzer.parameters()
    if not isinstance(given, analyzer.parameters):
        raise BadConfig(
            f"the parameters of {name} are {given!r}",
            "make them with tdw.analysis.registry.resolve_parameters",
        )
    return given


def resolve_parameters(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Parameters from a study file: analyzer name -> field -> value.

    Raises:
        BadConfig: an unknown analyzer or field, or a value that can't be used; names it.
    """
    return {name: override(name, get_analyzer(name).parameters, given) for name, given in values.items()}


def inputs_of(analyzer: Analyzer, parameters: ParametersByName | None = None) -> dict[str, str]:
    """Spec versions of the analyzers it requires, as they stand in its artifacts' provenance."""
    return {name: spec_version(name, parameters) for name in analyzer.requires}


def spec_version(analyzer: Analyzer | str, parameters: ParametersByName | None = None) -> str:
    """What an up-to-date artifact was computed by: a short hash of code version, parameters and what is
    required.

    Args:
        analyzer: or its name.
        parameters: by analyzer name, since those of the required ones count too.
    """
    found = get_analyzer(analyzer) if isinstance(analyzer, str) else analyzer
    own = as_json(parameters_of(found.name, parameters))
    return _spec(found.name, found.code_version, own, inputs_of(found, parameters))


def recorded_spec_version(provenance: Provenance) -> str:
    """The spec version that an artifact was computed by, from its provenance."""
    return _spec(provenance.name, provenance.code_version, provenance.parameters, provenance.inputs)


def artifact_version(provenance: Provenance) -> str:
    """What makes two artifacts of a cell the same: 64 hex digits over spec, variant, probe and checkpoint."""
    return fingerprint_json(
        {
            "spec": recorded_spec_version(provenance),
            "variant": provenance.variant_fingerprint,
            "probe": provenance.probe_fingerprint,
            "checkpoint": provenance.checkpoint_fingerprint,
        }
    )


def _spec(name: str, code_version: str, parameters: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    return short(
        fingerprint_json(
            {
                "name": name,
                "code_version": code_version,
                "parameters": dict(parameters),
                "inputs": dict(inputs),
            }
        )
    )
