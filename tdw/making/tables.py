"""Make a summary: read its series, hold the invariant, compute, commit, say what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.analysis.registry import ParametersByName
from tdw.epochs import format_epochs
from tdw.errors import BadConfig, FingerprintMismatch, NotFound
from tdw.inventory.state import Variant
from tdw.known_settings import under_known_settings
from tdw.making.series import Series, read_series, read_versions
from tdw.parameters import as_json
from tdw.recipes.analyzer import Metadata
from tdw.recipes.family import Family
from tdw.recipes.summary import HISTORY, Inputs, Summary
from tdw.store import Provenance, Store, TableAddress, Written
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.summaries.registry import get_summary, summary_version

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Summarized:
    """A committed summary.

    Attributes:
        name: of the summary.
        written, provenance: of the table; `provenance.inputs` says what it was made from.
        missing: analyzer name -> epochs that have no artifact and are therefore not in the table.
        metadata: a few numbers for people.
    """

    name: str
    written: Written
    provenance: Provenance
    missing: Mapping[str, tuple[int, ...]]
    metadata: Metadata = field(default_factory=dict[str, float | int | str])


@under_known_settings
def summarize(
    store: Store,
    family: Family,
    config: Any,
    name: str,
    *,
    parameters: ParametersByName | None = None,
    options: Any = None,
    epochs: Iterable[int] | None = None,
) -> Summarized:
    """Compute and commit one summary of a variant.

    Args:
        store: where artifacts are read and the table is committed.
        family: of the variant.
        config: the variant's configuration.
        name: of the summary.
        parameters: analyzer name -> its parameters dataclass; artifacts of other parameters are refused.
        options: the summary's own parameters dataclass; see `registry.resolve_options`.
        epochs: None for all there are. Epochs without an artifact are left out, and listed in `missing`.

    Raises:
        BadConfig: no such summary, or options of another type.
        NotFound: nothing to summarize; says what is missing.
        FingerprintMismatch: artifacts that are out of date or of another model; lists every difference.
        CorruptFile, StoreError: names the file.
    """
    summary = get_summary(name)
    options = _options(summary, options)
    variant = Variant(store, family, config, parameters or {})
    history, inputs = _history(variant) if HISTORY in summary.needs else (None, {})
    series = Series((), {}, {}, {})
    if summary.analyzers:
        series = read_series(variant, summary.analyzers, epochs=epochs)
        inputs |= series.versions
        if not series.epochs:
            raise NotFound(
                f"{config.key} has no epoch with {' and '.join(summary.analyzers)} to summarize",
                f"analyze it: `tdw fill --variant {config.key}`",
            )
    table = summary.function(Inputs(config.p, series.epochs, series.artifacts, history), options)
    provenance = Provenance(
        family=family.name,
        variant=config.key,
        name=name,
        code_version=summary.code_version,
        parameters=as_json(options),
        variant_fingerprint=config.fingerprint,
        probe_fingerprint=family.probe_fingerprint(config),
        inputs=inputs,
        environment={"tdw": version("training-dynamics-workbench")},
    )
    written = store.write_table(TableAddress(family.name, config.key, name), table, provenance=provenance)
    metadata: Metadata = {
        **summary.describe(table),
        "num_rows": len(table),
        "nbytes": written.nbytes,
        "missing": _say_missing(series.missing),
        "summary_version": summary_version(name, options),
        "variant_fingerprint": short(provenance.variant_fingerprint),
    }
    return Summarized(name, written, provenance, series.missing, metadata)


@under_known_settings
def current_inputs(
    store: Store, family: Family, config: Any, name: str, *, epochs: Iterable[int] | None = None
) -> dict[str, str]:
    """What `provenance.inputs` of a summary made now would be; artifacts are read by their headers only.

    A summary whose recorded inputs differ is out of date. Nothing is checked here: `summarize` does that.

    Raises:
        BadConfig: no such summary.
        NotFound: it needs the history, and there is none.
    """
    summary = get_summary(name)
    variant = Variant(store, family, config, {})
    inputs = _history(variant)[1] if HISTORY in summary.needs else {}
    return inputs | read_versions(variant, summary.analyzers, epochs=epochs) if summary.analyzers else inputs


def _options(summary: Summary, options: Any) -> Any:
    if options is None:
        return summary.parameters()
    if not isinstance(options, summary.parameters):
        raise BadConfig(
            f"the options of summary {summary.name} are {options!r}",
            "make them with tdw.summaries.registry.resolve_options",
        )
    return options


def _history(variant: Variant) -> tuple[pd.DataFrame, dict[str, str]]:
    """The history table, and the version of its content."""
    address = TableAddress(variant.family.name, variant.config.key, HISTORY)
    table, provenance = variant.store.read_table_with_provenance(address)
    if provenance.variant_fingerprint != variant.config.fingerprint:
        there, here = short(provenance.variant_fingerprint), short(variant.config.fingerprint)
        raise FingerprintMismatch(
            f"{variant.store.path(address)}: the history is of a variant with fingerprint {there}, "
            f"{variant.config.key} has {here}",
            "train the variant again in another store, or use the version of tdw that trained it",
        )
    columns = {str(column): table[column].to_numpy(np.float64) for column in table.columns}
    return table, {HISTORY: fingerprint_arrays(columns)}


def _say_missing(missing: Mapping[str, tuple[int, ...]]) -> str:
    return "; ".join(f"{name}: {format_epochs(epochs)}" for name, epochs in missing.items()) or "none"
