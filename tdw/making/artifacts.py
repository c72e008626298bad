"""Analyze checkpoints: cell by cell, one read, one forward pass and one 2-D transform a checkpoint.

A cell is (analyzer, epoch) of one variant. What is committed is yielded at once, so a caller that stops or
dies keeps what was done.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np

from tdw.compute import one_thread
from tdw.errors import CorruptFile, FingerprintMismatch, NotFound, TdwError
from tdw.known_settings import under_known_settings
from tdw.making.variant_inputs import VariantInputs
from tdw.recipes.analyzer import Analyzer, Metadata
from tdw.recipes.catalog import ParametersByName, catalog_of
from tdw.recipes.consistency.invariant import require_configuration
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.recipes.context import Arrays, Context
from tdw.recipes.family import Family, VariantConfig, wrong_layout
from tdw.store import Provenance, Store, Written
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.store.layout import CHECKPOINTS
from tdw.training.environment import deciding_variables, resolve_device

Cells = Mapping[str, Collection[int]]


@dataclass(frozen=True)
class CellResult:
    """What became of one cell.

    Attributes:
        analyzer, epoch: the cell.
        seconds: wall time; the first cell of a checkpoint that needs the forward pass carries it.
        error: why it failed; then `written` and `provenance` are None.
        written, provenance: of the committed artifact.
        metadata: a few numbers for people, and the fingerprints.
    """

    analyzer: str
    epoch: int
    seconds: float
    error: Exception | None = None
    written: Written | None = None
    provenance: Provenance | None = None
    metadata: Metadata = field(default_factory=dict[str, float | int | str])


def analyze(
    store: Store,
    family: Family,
    config: VariantConfig,
    cells: Cells,
    *,
    parameters: ParametersByName | None = None,
    on_demand: Cells | None = None,
    device: str = "auto",
) -> Iterator[CellResult]:
    """Compute, commit and yield the cells of one variant, ascending by epoch.

    Cells that are there already are computed again: what is missing or out of date is the caller's question
    (`tdw.inventory`). A required analyzer that is not among the cells is read from the store when it
    is up to date, else computed along and not stored.

    Args:
        store: where checkpoints are read and artifacts committed.
        family: of the variant.
        config: the variant's configuration.
        cells: analyzer name -> epochs.
        parameters: analyzer name -> its parameters dataclass; see `Catalog.resolve_parameters`.
        on_demand: those of the cells whose arrays are not kept (`tdw.making.on_demand`).
        device: where the forward pass runs, "cpu", "cuda" or "auto" (CUDA where there is one).

    Yields:
        One result per cell. An exception in a cell is in its result, and the rest goes on.

    Raises:
        BadConfig: an unknown analyzer or device, or parameters of the wrong type; at the call.
    """
    variant = VariantInputs(store, family, config, parameters or {})
    for name in (*cells, *variant.parameters):
        catalog_of(family).parameters_of(name, variant.parameters)
    # A generator of its own, so that wrong arguments are refused at the call and not at the first next().
    wanted = {name: frozenset(epochs) for name, epochs in cells.items()}
    return _analyze(variant, wanted, on_demand or {}, resolve_device(device))


@under_known_settings
def compute(variant: VariantInputs, name: str, epoch: int, *, device: str) -> tuple[Arrays, str]:
    """The arrays of one cell, not committed, and the fingerprint of the checkpoint that they are of.

    Raises:
        TdwError: the checkpoint is not there, is damaged, or is another model's.
    """
    at = _open(variant, epoch, device)
    return _compute(at, catalog_of(variant.family).analyzer(name)), at.checkpoint


@dataclass
class _Pass:
    """One checkpoint while it is analyzed."""

    variant: VariantInputs
    epoch: int
    device: str
    context: Context
    checkpoint: str
    failed: dict[str, Exception] = field(default_factory=dict[str, Exception])


@under_known_settings
def _analyze(variant: VariantInputs, cells: Cells, on_demand: Cells, device: str) -> Iterator[CellResult]:
    catalog = catalog_of(variant.family)
    for epoch in sorted(set[int]().union(*cells.values())):
        wanted = catalog.in_order(name for name, epochs in cells.items() if epoch in epochs)
        started = time.perf_counter()
        try:
            checkpoint = _open(variant, epoch, device)
        except Exception as error:
            for analyzer in wanted:
                yield CellResult(analyzer.name, epoch, time.perf_counter() - started, error=error)
            continue
        for analyzer in wanted:
            started = time.perf_counter()
            try:
                later = epoch in on_demand.get(analyzer.name, ())
                result = _cell(checkpoint, analyzer, started, on_demand=later)
            except Exception as error:
                checkpoint.failed[analyzer.name] = error
                result = CellResult(analyzer.name, epoch, time.perf_counter() - started, error=error)
            yield result


def _open(variant: VariantInputs, epoch: int, device: str) -> _Pass:
    """Read a checkpoint and hold it to the variant."""
    address = variant.address(CHECKPOINTS, epoch)
    artifact = variant.store.read(address)
    path, found, config = variant.store.path(address), artifact.provenance, variant.config
    require_configuration(found, config.fingerprint, path=path)
    fingerprint = fingerprint_arrays(artifact.arrays)
    if found.checkpoint_fingerprint != fingerprint:
        raise FingerprintMismatch(
            f"{path}: the weights have fingerprint {short(fingerprint)}, "
            f"their provenance says {short(found.checkpoint_fingerprint) or 'none'}",
            "delete the file and train its epoch again",
        )
    differing = wrong_layout(config.weight_shapes, artifact.arrays)
    if differing:
        raise FingerprintMismatch(
            f"{path}: the weights are not those of {config.key}: {differing}",
            "delete the file and train its epoch again, or run `tdw verify --repair`",
        )
    wrong = [name for name, array in artifact.arrays.items() if not np.isfinite(array).all()]
    if wrong:
        raise TdwError(
            f"{path}: {', '.join(wrong)} hold NaN or infinite values",
            "training diverged: look at the losses before it",
        )

    def run_probe() -> Any:
        import torch

        weights = {name: torch.as_tensor(array) for name, array in artifact.arrays.items()}
        with one_thread():
            return variant.family.probe_pass(config, weights, device=device)

    context = variant.family.open_checkpoint(config, artifact.arrays, run_probe)
    return _Pass(variant, epoch, device, context, fingerprint)


def _cell(at: _Pass, analyzer: Analyzer, started: float, *, on_demand: bool) -> CellResult:
    catalog_of(at.variant.family).require_suited([analyzer.name], at.variant.config)
    for name in analyzer.requires:
        if name in at.failed:
            raise TdwError(
                f"{analyzer.name} needs {name}, which failed: {at.failed[name]}", "fix that analyzer first"
            )
        _provide(at, name)
    arrays = _compute(at, analyzer)
    expected = at.variant.provenance(analyzer.name, at.epoch, at.checkpoint)
    provenance = dataclasses.replace(expected, environment=environment(at.device))
    written = at.variant.store.write(
        at.variant.address(analyzer.name, at.epoch),
        arrays,
        provenance=provenance,
        quantize=analyzer.quantize,
        half=analyzer.half,
        on_demand=on_demand,
    )
    seconds = time.perf_counter() - started
    metadata: Metadata = {
        **analyzer.describe(arrays),
        "nbytes": written.nbytes,
        "seconds": round(seconds, 4),
        "spec_version": recorded_spec_version(provenance),
        "variant_fingerprint": short(provenance.variant_fingerprint),
        "probe_fingerprint": short(provenance.probe_fingerprint),
        "checkpoint_fingerprint": short(at.checkpoint),
    }
    return CellResult(
        analyzer.name, at.epoch, seconds, written=written, provenance=provenance, metadata=metadata
    )


def _provide(at: _Pass, name: str) -> None:
    """Put a required analyzer's arrays into the context: of this pass, of the store, or computed along."""
    if name in at.context.results:
        return
    if at.variant.is_up_to_date(name, at.epoch, at.checkpoint):
        try:
            stored = at.variant.store.read_kept(at.variant.address(name, at.epoch))
        except (CorruptFile, NotFound):
            pass  # Damaged: computed along, and its own cell is `tdw verify`'s to report.
        else:
            if not stored.on_demand:
                at.context.results[name] = stored.arrays
                return
    analyzer = catalog_of(at.variant.family).analyzer(name)
    for required in analyzer.requires:
        _provide(at, required)
    _compute(at, analyzer)


def _compute(at: _Pass, analyzer: Analyzer) -> Arrays:
    arrays = analyzer.function(
        at.context, catalog_of(at.variant.family).parameters_of(analyzer.name, at.variant.parameters)
    )
    at.context.results[analyzer.name] = arrays
    return arrays


@lru_cache(maxsize=8)
def environment(device: str) -> dict[str, str]:
    """Versions and settings that can change an artifact's bits."""
    return {
        "tdw": version("training-dynamics-workbench"),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "device": device,
        **deciding_variables(),
    }
