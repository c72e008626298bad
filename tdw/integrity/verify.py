"""Re-read everything in a store and say what is wrong with which file.

Looks at every byte: seal (checksum over the whole file), header, provenance against the place of the file,
finite values, weights against the configuration, artifacts against their checkpoint. What Dagster recorded is
not its business; `tdw.integrity.against_records` compares that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tdw.errors import NotFound, TdwError, Unreadable
from tdw.families import Family, all_families
from tdw.families.stored import why_no_variant
from tdw.integrity.file_problems import (
    Checked,
    FileProblem,
    Problem,
    as_checked,
    entries,
    is_dir,
    is_file,
    size_of,
    stranger,
    unless_ours,
    unreadable,
    why_not_read,
)
from tdw.integrity.names import artifact_kinds
from tdw.integrity.tables import check_dashboards, check_records, check_tables_and_plots
from tdw.known_settings import under_known_settings
from tdw.recipes.catalog import catalog_of
from tdw.recipes.consistency.array_layout import wrong_arrays
from tdw.recipes.family import VariantConfig, wrong_layout
from tdw.store import Address, Artifact, Provenance, Store
from tdw.store.commit import leftovers, walk
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.store.layout import (
    CHECKPOINTS,
    DASHBOARDS,
    EPOCH_FILE,
    LIVE,
    REMOVED,
    STATES,
    STUDIES,
    compared_study,
    is_name,
)

__all__ = ["Checked", "FileProblem", "summed_size", "verify", "verify_artifact"]
_KINDS_APART = ("summaries", "plots", "locks")
_BESIDE = frozenset({".dagster", ".damaged", LIVE})


def summed_size(store: Store) -> int:
    """Bytes of all files that `verify` reads, for showing how far it is."""
    folders = [folder for folder in entries(store.root) if not _is_beside(folder.name)]
    return sum(size_of(path) for folder in folders for path in walk(folder))


def _is_beside(name: str) -> bool:
    """Whether something in the store's folder is none of its files."""
    return name in _BESIDE or name.startswith(REMOVED)


@under_known_settings
def verify(store: Store, *, families: tuple[Family, ...] | None = None) -> Iterator[Checked]:
    """Re-read every file, one `Checked` a file as it is done, folder by folder.

    Args:
        store: with a local root.
        families: whose folders are expected; None for all that are registered.
    """
    root: Path = store.root
    families = all_families() if families is None else families
    for path in leftovers(root):
        yield as_checked(path, FileProblem(str(path), "temporary", "left by a writer that was killed"))
    for family in families:
        for path in entries(root / family.name):
            if path.name == STUDIES and is_dir(path):
                continue
            if compared_study(path.name) is not None and is_dir(path):
                yield from _comparison(store, family, path)
                continue
            why = why_no_variant(family, path.name)
            if why is None and is_dir(path):
                yield from _variant(store, family, path.name)
            else:
                yield stranger(path, why.what if why and is_dir(path) else "not the folder of a variant")
        yield from check_records(store, family)
    yield from check_dashboards(store)
    known = {DASHBOARDS, *(family.name for family in families)}
    for path in entries(root):
        if path.name not in known and not _is_beside(path.name):
            yield stranger(path, "not the folder of a registered family")


def _comparison(store: Store, family: Family, folder: Path) -> Iterator[Checked]:
    """What covers the variants of a study, or several of none."""
    try:
        beside = entries(folder)
    except Unreadable as error:
        yield unreadable(folder, error)
        return
    for path in beside:
        if path.name not in _KINDS_APART or not is_dir(path):
            yield stranger(path, "neither tables nor plots")
    yield from check_tables_and_plots(store, family, folder.name)


def _variant(store: Store, family: Family, variant: str) -> Iterator[Checked]:
    folder: Path = store.root / family.name / variant
    config = family.parse_variant(variant)
    weights: dict[int, str] = {}
    known = artifact_kinds()
    try:
        kinds = entries(folder)
    except Unreadable as error:
        yield unreadable(folder, error, variant=variant)
        return
    for kind in sorted(kinds, key=lambda path: (path.name != CHECKPOINTS, path)):
        if kind.name in _KINDS_APART and is_dir(kind):
            continue
        if not is_dir(kind) or not is_name(kind.name):
            yield stranger(kind, "not a folder of artifacts", variant=variant)
            continue
        try:
            paths = entries(kind)
        except Unreadable as error:
            yield unreadable(kind, error, variant=variant, kind=kind.name)
            continue
        for path in paths:
            match = EPOCH_FILE.fullmatch(path.name)
            if match and is_file(path):
                address = Address(family.name, variant, kind.name, int(match[1]))
                checked = _arrays(store, family, config, address, weights)
                yield unless_ours(checked, ours=kind.name in known)
            else:
                yield stranger(path, "not named like an artifact", variant=variant, kind=kind.name)
    yield from check_tables_and_plots(store, family, variant)


def _arrays(
    store: Store, family: Family, config: VariantConfig, address: Address, weights: dict[int, str]
) -> Checked:
    path: Path = store.path(address)
    of: dict[str, Any] = {"variant": address.variant, "kind": address.kind, "epoch": address.epoch}

    def found(problem: Problem, detail: str) -> Checked:
        return as_checked(path, FileProblem(str(path), problem, detail, **of))

    try:
        artifact = store.read_kept(address)  # to compute what is kept on demand would take hours
    except NotFound:
        return found("unreadable", "vanished while it was read")
    except (TdwError, MemoryError) as error:
        return found(*why_not_read(error))
    wrong = _misplaced(artifact.provenance, address, family, config)
    if wrong:
        return found("mismatch", wrong)
    for name, array in artifact.arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return found(
                "not finite", f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite"
            )
    content = artifact.sha256
    if address.kind == CHECKPOINTS:
        content = weights[address.epoch] = fingerprint_arrays(artifact.arrays)
        wrong = _wrong_weights(artifact, config, content)
    elif address.kind == STATES:
        wrong = _wrong_state(artifact, family, config)
    else:
        wrong = _wrong_artifact(artifact, address.kind, family, config)
        checkpoint = artifact.provenance.checkpoint_fingerprint
        if address.epoch not in weights and not store.exists(
            Address(address.family, address.variant, CHECKPOINTS, address.epoch)
        ):
            return found("orphan", f"made from checkpoint {short(checkpoint)}, which is not there")
        if not wrong and address.epoch in weights and checkpoint != weights[address.epoch]:
            wrong = (
                f"made from checkpoint {short(checkpoint)}, the one stored is {short(weights[address.epoch])}"
            )
    return found("mismatch", wrong) if wrong else as_checked(path, None, content=content, **of)


@under_known_settings
def verify_artifact(store: Store, family: Family, address: Address) -> Checked:
    """Re-read one artifact, checkpoint or state, as `verify` does it."""
    return _arrays(store, family, family.parse_variant(address.variant), address, {})


def _misplaced(provenance: Provenance, address: Address, family: Family, config: VariantConfig) -> str:
    expected = {
        "family": address.family,
        "variant": address.variant,
        "epoch": address.epoch,
        "variant_fingerprint": config.fingerprint,
    }
    if address.kind not in (CHECKPOINTS, STATES):
        expected |= {"name": address.kind, "probe_fingerprint": family.probe_fingerprint(config)}
    wrong = [
        f"{k} is {getattr(provenance, k)}, not {v}"
        for k, v in expected.items()
        if getattr(provenance, k) != v
    ]
    return "; ".join(wrong)


def _wrong_weights(artifact: Artifact, config: VariantConfig, fingerprint: str) -> str:
    wrong = wrong_layout(config.weight_shapes, artifact.arrays)
    if wrong:
        return f"weights are not those of the configuration: {wrong}"
    stated = artifact.provenance.checkpoint_fingerprint
    if stated != fingerprint:
        return f"the weights have fingerprint {short(fingerprint)}, the header says {short(stated)}"
    return ""


def _wrong_state(artifact: Artifact, family: Family, config: VariantConfig) -> str:
    """A state holds the weights and, after the first step, the optimizer's moments."""
    import torch

    weights = {name: torch.empty(shape) for name, shape in config.weight_shapes.items()}
    moments = family.make_optimizer(config, weights).state_shapes(artifact.provenance.epoch or 0)
    wrong = wrong_layout({**config.weight_shapes, **moments}, artifact.arrays)
    return f"not a state of the configuration: {wrong}" if wrong else ""


def _wrong_artifact(artifact: Artifact, kind: str, family: Family, config: VariantConfig) -> str:
    """Only what this version's code has made is held to what it declares, if its arrays are kept."""
    found = [analyzer for analyzer in catalog_of(family).analyzers if analyzer.name == kind]
    if not found or artifact.on_demand or artifact.provenance.code_version != found[0].code_version:
        return ""
    return wrong_arrays(found[0], artifact.arrays, family.lengths(config))
