"""Make a summary: read its series, hold the invariant, compute, commit, say what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.epochs import format_epochs
from tdw.errors import BadConfig, NotFound
from tdw.known_settings import under_known_settings
from tdw.making.series import Series, read_series
from tdw.making.variant_inputs import VariantInputs
from tdw.parameters import as_json
from tdw.recipes.analyzer import Metadata
from tdw.recipes.catalog import ParametersByName, catalog_of
from tdw.recipes.consistency.invariant import require_configuration
from tdw.recipes.family import Family, VariantConfig
from tdw.recipes.summary import HISTORY, Inputs, Summary
from tdw.store import Provenance, Store, TableAddress, Written, tdw_version
from tdw.store.fingerprints import fingerprint_arrays, short

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
    config: VariantConfig,
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
        options: the summary's own parameters dataclass; see `Catalog.resolve_options`.
        epochs: None for all there are. Epochs without an artifact are left out, and listed in `missing`.

    Raises:
        BadConfig: no such summary, or options of another type.
        NotFound: nothing to summarize; says what is missing.
        FingerprintMismatch: artifacts that are out of date or of another model; lists every difference.
        CorruptFile, StoreError: names the file.
    """
    summary = catalog_of(family).summary(name)
    options = _options(summary, options)
    variant = VariantInputs(store, family, config, parameters or {})
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
    table = summary.function(Inputs(config, series.epochs, series.artifacts, history), options)
    provenance = Provenance(
        family=family.name,
        variant=config.key,
        name=name,
        code_version=summary.code_version,
        parameters=as_json(options),
        variant_fingerprint=config.fingerprint,
        probe_fingerprint=family.probe_fingerprint(config),
        inputs=inputs,
        environment={"tdw": tdw_version()},
    )
    written = store.write_table(TableAddress(family.name, config.key, name), table, provenance=provenance)
    metadata: Metadata = {
        **summary.describe(table),
        "num_rows": len(table),
        "nbytes": written.nbytes,
        "missing": _say_missing(series.missing),
        "summary_version": catalog_of(family).summary_version(name, options),
        "variant_fingerprint": short(provenance.variant_fingerprint),
    }
    return Summarized(name, written, provenance, series.missing, metadata)


def _options(summary: Summary, options: Any) -> Any:
    if options is None:
        return summary.parameters()
    if not isinstance(options, summary.parameters):
        raise BadConfig(
            f"the options of summary {summary.name} are {options!r}",
            "make them with Catalog.resolve_options",
        )
    return options


def _history(variant: VariantInputs) -> tuple[pd.DataFrame, dict[str, str]]:
    """The history table, and the version of its content."""
    address = TableAddress(variant.family.name, variant.config.key, HISTORY)
    table, provenance = variant.store.read_table_with_provenance(address)
    require_configuration(provenance, variant.config.fingerprint, path=variant.store.path(address))
    columns = {str(column): table[column].to_numpy(np.float64) for column in table.columns}
    return table, {HISTORY: fingerprint_arrays(columns)}


def _say_missing(missing: Mapping[str, tuple[int, ...]]) -> str:
    return "; ".join(f"{name}: {format_epochs(epochs)}" for name, epochs in missing.items()) or "none"
