"""Re-read everything in a store and say what is wrong with which file.

Looks at every byte: seal (checksum over the whole file), header, provenance against the place of the file,
finite values, weights against the configuration, artifacts against their checkpoint. What Dagster recorded is
not its business; the layer above compares that (`tdw_assets.checks.events_against_files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tdw.errors import CorruptFile, NotFound, TdwError, Unreadable
from tdw.families import Family, all_families
from tdw.integrity.findings import Checked, Finding, Problem
from tdw.known_settings import under_known_settings
from tdw.recipes.array_layout import wrong_arrays
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import VariantConfig, wrong_layout
from tdw.store import Address, Artifact, Provenance, Store, TableAddress, reading, record, tablefile
from tdw.store.commit import TEMPORARY, leftovers
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.store.layout import CHECKPOINTS, COMPARISON, STATES, STUDIES
from tdw.training.states import MOMENTS

_EPOCH = re.compile(r"(\d{5,})\.safetensors")
_KINDS_APART = ("summaries", "plots", "locks")


def summed_size(store: Store) -> int:
    """Bytes of all files that `verify` reads, for showing how far it is."""
    return sum(_size(path) for folder in _visible(store.root) for path in folder.rglob("*"))


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
        yield _checked(path, Finding(str(path), "temporary", "left by a writer that was killed"))
    for family in families:
        for variant in store.variants(family.name):
            yield from _variant(store, family, variant)
        if (root / family.name / COMPARISON).is_dir():
            yield from _tables_and_plots(store, family, None)
        yield from _records(store, family)
    for path in _visible(root):
        if path.name not in {family.name for family in families}:
            yield _checked(path, Finding(str(path), "unknown", "not the folder of a registered family"))


def _visible(root: Path) -> list[Path]:
    return sorted(p for p in root.iterdir() if not p.name.startswith(".")) if root.is_dir() else []


def _variant(store: Store, family: Family, variant: str) -> Iterator[Checked]:
    folder: Path = store.root / family.name / variant
    try:
        config = family.parse_variant(variant)
    except TdwError as error:
        yield _checked(folder, Finding(str(folder), "unknown", error.what))
        return
    weights: dict[int, str] = {}
    try:
        kinds = [p.name for p in _listed(folder) if p.is_dir() and p.name not in _KINDS_APART]
    except Unreadable as error:
        yield _checked(folder, Finding(str(folder), "unreadable", error.what, variant))
        return
    for kind in sorted(kinds, key=lambda k: (k != CHECKPOINTS, k)):
        try:
            paths = _listed(folder / kind)
        except Unreadable as error:
            yield _checked(
                folder / kind, Finding(str(folder / kind), "unreadable", error.what, variant, kind)
            )
            continue
        for path in paths:
            match = _EPOCH.fullmatch(path.name)
            if match:
                yield _arrays(
                    store, family, config, Address(family.name, variant, kind, int(match[1])), weights
                )
            elif not TEMPORARY.fullmatch(path.name):
                yield _checked(
                    path, Finding(str(path), "unknown", "not named like an artifact", variant, kind)
                )
    yield from _tables_and_plots(store, family, variant)


def _arrays(
    store: Store, family: Family, config: VariantConfig, address: Address, weights: dict[int, str]
) -> Checked:
    path: Path = store.path(address)
    of: dict[str, Any] = {"variant": address.variant, "kind": address.kind, "epoch": address.epoch}

    def found(problem: Problem, detail: str) -> Checked:
        return _checked(path, Finding(str(path), problem, detail, **of))

    try:
        artifact = store.read(address)
    except NotFound:
        return found("unreadable", "vanished while it was read")
    except (TdwError, MemoryError) as error:
        return found(*_why_not_read(error))
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
        mark = artifact.provenance.checkpoint_fingerprint
        if address.epoch not in weights and not store.exists(
            Address(address.family, address.variant, CHECKPOINTS, address.epoch)
        ):
            return found("orphan", f"made from checkpoint {short(mark)}, which is not there")
        if not wrong and address.epoch in weights and mark != weights[address.epoch]:
            wrong = f"made from checkpoint {short(mark)}, the one stored is {short(weights[address.epoch])}"
    return found("mismatch", wrong) if wrong else _checked(path, None, content=content, **of)


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
    """A state holds the weights and, after the first step, both moments of the trained ones."""
    shapes = dict(config.weight_shapes)
    if artifact.provenance.epoch:
        shapes |= {f"{moment}/{name}": shapes[name] for moment in MOMENTS for name in family.trained}
    wrong = wrong_layout(shapes, artifact.arrays)
    return f"not a state of the configuration: {wrong}" if wrong else ""


def _wrong_artifact(artifact: Artifact, kind: str, family: Family, config: VariantConfig) -> str:
    """Only what this version's code has made is held to what it declares."""
    found = [analyzer for analyzer in catalog_of(family).analyzers if analyzer.name == kind]
    if not found or artifact.provenance.code_version != found[0].code_version:
        return ""
    return wrong_arrays(found[0], artifact.arrays, family.lengths(config))


def _tables_and_plots(store: Store, family: Family, variant: str | None) -> Iterator[Checked]:
    folder: Path = store.root / family.name / (variant or COMPARISON)
    try:
        tables = [path for path in _listed(folder / "summaries") if path.suffix == ".parquet"]
        plots = [path for path in _listed(folder / "plots") if path.is_dir()]
    except Unreadable as error:
        yield _checked(folder, Finding(str(folder), "unreadable", error.what, variant or ""))
        return
    for path in tables:
        of: dict[str, Any] = {"variant": variant or "", "kind": f"summaries/{path.stem}"}
        try:
            address = TableAddress(family.name, variant, path.stem)
            _, provenance, digest = tablefile.decode(store.read_bytes(address), path=path)
            wrong = _misplaced_table(provenance, address)
        except (TdwError, MemoryError) as error:
            yield _checked(path, Finding(str(path), *_why_not_read(error), **of))
            continue
        finding = Finding(str(path), "mismatch", wrong, **of) if wrong else None
        yield _checked(path, finding, content=digest, **of)
    for path in plots:
        yield from _plot(store, family, variant, path)


def _records(store: Store, family: Family) -> Iterator[Checked]:
    """What was settled for the studies of a family."""
    folder: Path = store.root / family.name / STUDIES
    try:
        paths = [path for path in _listed(folder) if path.suffix == ".json"]
    except Unreadable as error:
        yield _checked(folder, Finding(str(folder), "unreadable", error.what))
        return
    for path in paths:
        of: dict[str, Any] = {"variant": "", "kind": f"studies/{path.stem}"}
        try:
            _, provenance, digest = record.decode(reading.read_bytes(path), path=path)
        except (TdwError, OSError, MemoryError) as error:
            yield _checked(path, Finding(str(path), *_why_not_read(error), **of))
            continue
        found = (provenance.family, provenance.parameters.get("study"))
        wrong = f"it is of study {found[1]} of {found[0]}" if found != (family.name, path.stem) else ""
        finding = Finding(str(path), "mismatch", wrong, **of) if wrong else None
        yield _checked(path, finding, content=digest, **of)


def _plot(store: Store, family: Family, variant: str | None, folder: Path) -> Iterator[Checked]:
    """The manifest, then the files it names, then what no manifest names."""
    of: dict[str, Any] = {"variant": variant or "", "kind": f"plots/{folder.name}"}
    named = ""
    try:
        plot = store.read_plot(family.name, variant, folder.name)
        named = plot.folder.name
        yield _checked(folder / "manifest.json", None, content=named, **of)
    except NotFound:
        pass  # what lies there is an orphan
    except (TdwError, MemoryError) as error:
        yield _checked(folder / "manifest.json", Finding(str(folder), *_why_not_read(error), **of))
        return
    else:
        for name in plot.files:
            finding = None
            try:
                plot.read(name)
            except (TdwError, MemoryError) as error:
                finding = Finding(str(folder), *_why_not_read(error), **of)
            yield _checked(plot.folder / name, finding, **of)
    try:
        others = [p for p in _listed(folder) if p.is_dir() and p.name != named]
    except Unreadable as error:
        yield _checked(folder, Finding(str(folder), "unreadable", error.what, **of))
        return
    for other in others:
        yield _checked(other, Finding(str(other), "orphan", "files that no manifest names", **of))


def _misplaced_table(provenance: Provenance, address: TableAddress) -> str:
    expected = {"family": address.family, "variant": address.variant or "", "name": address.name}
    wrong = [
        f"{k} is {getattr(provenance, k)}, not {v}"
        for k, v in expected.items()
        if getattr(provenance, k) != v
    ]
    return "; ".join(wrong)


def _why_not_read(error: Exception) -> tuple[Problem, str]:
    """The problem and its detail. Only a checksum that does not fit is damage."""
    words = error.what if isinstance(error, TdwError) else f"{type(error).__name__}: {error}"
    return ("corrupt" if isinstance(error, CorruptFile) else "unreadable"), words


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing where there is none. Raises Unreadable."""
    try:
        with reading.access(folder):
            return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # gone, or not to be looked at
        return 0


def _checked(path: Path, finding: Finding | None, **cell: Any) -> Checked:
    if finding is not None:
        cell = {"variant": finding.variant, "kind": finding.kind, "epoch": finding.epoch}
    return Checked(str(path), _size(path), finding, **cell)
