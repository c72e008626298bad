"""Read artifacts over epochs and hold the invariant: one model, one probe, one way of computing (INV)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tdw.making.variant_inputs import VariantInputs, differences
from tdw.recipes.consistency.invariant import Invariant
from tdw.recipes.consistency.versions import artifact_version
from tdw.recipes.context import Arrays
from tdw.store import Provenance
from tdw.store.fingerprints import fingerprint_json
from tdw.store.layout import CHECKPOINTS

Records = Mapping[str, Mapping[int, Provenance]]
"""Analyzer name -> epoch -> provenance."""


@dataclass(frozen=True)
class Series:
    """Artifacts of some analyzers at common epochs.

    Attributes:
        epochs: ascending; every analyzer has an artifact at each.
        artifacts: analyzer name -> arrays at each epoch.
        versions: analyzer name -> hash over its (epoch, artifact version), 64 hex digits.
        missing: analyzer name -> epochs asked for of which it has no artifact; only those with any.
    """

    epochs: tuple[int, ...]
    artifacts: dict[str, tuple[Arrays, ...]]
    versions: dict[str, str]
    missing: dict[str, tuple[int, ...]]


def read_series(
    variant: VariantInputs, analyzers: Iterable[str], *, epochs: Iterable[int] | None = None
) -> Series:
    """Read artifacts, every checksum checked, and refuse what does not belong together.

    Args:
        variant: of which, and with which analyzer parameters.
        analyzers: whose artifacts.
        epochs: None for every epoch of which there is a checkpoint or one of the artifacts.

    Raises:
        FingerprintMismatch: lists every difference, with its epochs and both values, and the remedy.
        CorruptFile, StoreError: names the file.
    """
    names = tuple(analyzers)
    common, missing = available(variant, names, epochs=epochs)
    arrays: dict[str, list[Arrays]] = {name: [] for name in names}
    records: dict[str, dict[int, Provenance]] = {name: {} for name in names}
    for name in names:
        for epoch in common:
            artifact = variant.store.read(variant.address(name, epoch))
            arrays[name].append(artifact.arrays)
            records[name][epoch] = artifact.provenance
    require_one_series(variant, records)
    return Series(
        common, {name: tuple(listed) for name, listed in arrays.items()}, versions(records), missing
    )


def available(
    variant: VariantInputs, analyzers: tuple[str, ...], *, epochs: Iterable[int] | None = None
) -> tuple[tuple[int, ...], dict[str, tuple[int, ...]]]:
    """Epochs at which every analyzer has an artifact, and what each lacks of those asked for."""
    there = {name: set(_epochs(variant, name)) for name in analyzers}
    wanted = set(_epochs(variant, CHECKPOINTS)).union(*there.values()) if epochs is None else set(epochs)
    common = tuple(sorted(wanted.intersection(*there.values())))
    lacking = {name: tuple(sorted(wanted - have)) for name, have in there.items()}
    return common, {name: gaps for name, gaps in lacking.items() if gaps}


def versions(records: Records) -> dict[str, str]:
    """A hash per analyzer over what its artifacts are, by epoch: 64 hex digits each."""
    return {
        name: fingerprint_json([[epoch, artifact_version(found[epoch])] for epoch in sorted(found)])
        for name, found in records.items()
    }


def require_one_series(variant: VariantInputs, records: Records) -> None:
    """Hold artifacts to the variant, its probe, its checkpoints, and the code and parameters in force.

    Raises:
        FingerprintMismatch: lists every difference, with its epochs and both values, and the remedy.
    """
    invariant = Invariant(
        f"artifacts of {variant.config.key} are not of one series",
        remedy=f"compute them again: `tdw fill --out-of-date --variant {variant.config.key}`",
    )
    checkpoints = _checkpoint_fingerprints(variant, records)
    for name, by_epoch in records.items():
        of_all = variant.provenance(name, 0, "")
        for epoch, record in by_epoch.items():
            wanted = replace(of_all, epoch=epoch, checkpoint_fingerprint=checkpoints[epoch])
            for field in differences(record, wanted):
                one_epoch = f", epoch {epoch}" if field == "checkpoint_fingerprint" else ""
                invariant.note(f"{field} of {name}{one_epoch}", getattr(record, field), epoch)
                invariant.note(f"{field} of {name}{one_epoch}", getattr(wanted, field), "for this series")
    invariant.hold()


def _checkpoint_fingerprints(variant: VariantInputs, records: Records) -> dict[int, str]:
    """Of the checkpoint where it is there, else what the first analyzer recorded: the others must agree."""
    there = set(_epochs(variant, CHECKPOINTS))
    fingerprints: dict[int, str] = {}
    for by_epoch in records.values():
        for epoch, record in by_epoch.items():
            if epoch in fingerprints:
                continue
            header = (
                variant.store.provenance(variant.address(CHECKPOINTS, epoch)) if epoch in there else record
            )
            fingerprints[epoch] = header.checkpoint_fingerprint
    return fingerprints


def _epochs(variant: VariantInputs, kind: str) -> list[int]:
    return variant.store.epochs(variant.family.name, variant.config.key, kind)
