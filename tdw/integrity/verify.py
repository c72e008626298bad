"""Re-read everything in a store and say what is wrong with which file.

Looks at every byte: seal (checksum over the whole file), header, provenance against the place of the file,
finite values, weights against the configuration, artifacts against their checkpoint. What Dagster recorded is
not its business; the layer above compares that (`tdw_assets.checks.events_against_files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tdw.errors import CorruptFile, NotFound, StoreError, TdwError
from tdw.families import Family, all_families
from tdw.recipes.family import VariantConfig
from tdw.store import Address, Artifact, Provenance, Store, TableAddress, jsonfile, tablefile
from tdw.store.commit import TEMPORARY, leftovers
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.store.layout import CHECKPOINTS, COMPARISON, STATES, STUDIES

Problem = Literal[
    "corrupt", "mismatch", "not finite", "orphan", "temporary", "unknown",
    "no file", "no event", "not as recorded",
]  # fmt: skip
_EPOCH = re.compile(r"(\d{5,})\.safetensors")
_KINDS_APART = ("summaries", "plots", "locks")


@dataclass(frozen=True)
class Finding:
    """Something wrong with one file.

    Attributes:
        path: of the file.
        problem: "corrupt" (bytes changed or cut, or they can't be read), "mismatch" (it belongs to another
            variant, probe or checkpoint), "not finite", "orphan" (made from a checkpoint, or for a plot, that
            is not there), "temporary" (left by a killed writer), "unknown" (not of this store); and from
            comparing with an event log "no file", "no event" and "not as recorded".
        detail: what exactly.
        variant, kind, epoch: the cell it is, where it is one; epoch is None for tables and plots, variant is
            "" for what covers several.
    """

    path: str
    problem: Problem
    detail: str
    variant: str = ""
    kind: str = ""
    epoch: int | None = None


@dataclass(frozen=True)
class Checked:
    """One file that was re-read.

    Attributes:
        path, nbytes: of the file.
        finding: what is wrong with it, if anything.
        variant, kind, epoch: the cell it is, as in `Finding`.
        content: what it holds: the weights' fingerprint of a checkpoint, the checksum of another artifact or
            table, the fingerprint of a plot's files (its first 16 digits); "" when something is wrong.
    """

    path: str
    nbytes: int
    finding: Finding | None
    variant: str = ""
    kind: str = ""
    epoch: int | None = None
    content: str = ""


def summed_size(store: Store) -> int:
    """Bytes of all files that `verify` reads, for showing how far it is."""
    return sum(path.stat().st_size for folder in _visible(store.root) for path in folder.rglob("*"))


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
    kinds = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name not in _KINDS_APART)
    for kind in sorted(kinds, key=lambda k: (k != CHECKPOINTS, k)):
        for path in sorted((folder / kind).iterdir()):
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
        return found("corrupt", "vanished while it was read")
    except (CorruptFile, StoreError) as error:
        return found("corrupt", error.what)
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
    elif address.kind != STATES:
        mark = artifact.provenance.checkpoint_fingerprint
        if address.epoch not in weights and not store.exists(
            Address(address.family, address.variant, CHECKPOINTS, address.epoch)
        ):
            return found("orphan", f"made from checkpoint {short(mark)}, which is not there")
        if address.epoch in weights and mark != weights[address.epoch]:
            wrong = f"made from checkpoint {short(mark)}, the one stored is {short(weights[address.epoch])}"
    return found("mismatch", wrong) if wrong else _checked(path, None, content=content, **of)


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
    shapes = {name: array.shape for name, array in artifact.arrays.items()}
    if shapes != dict(config.weight_shapes):
        differing = sorted(set(shapes.items()) ^ set(config.weight_shapes.items()))
        return f"weights are not those of the configuration: {differing[:4]}"
    stated = artifact.provenance.checkpoint_fingerprint
    if stated != fingerprint:
        return f"the weights have fingerprint {short(fingerprint)}, the header says {short(stated)}"
    return ""


def _tables_and_plots(store: Store, family: Family, variant: str | None) -> Iterator[Checked]:
    folder: Path = store.root / family.name / (variant or COMPARISON)
    for path in sorted((folder / "summaries").glob("*.parquet")):
        of: dict[str, Any] = {"variant": variant or "", "kind": f"summaries/{path.stem}"}
        try:
            address = TableAddress(family.name, variant, path.stem)
            _, provenance, digest = tablefile.decode(store.path(address).read_bytes(), path=path)
            wrong = _misplaced_table(provenance, address)
        except (TdwError, OSError) as error:
            yield _checked(path, Finding(str(path), "corrupt", _words(error), **of))
            continue
        finding = Finding(str(path), "mismatch", wrong, **of) if wrong else None
        yield _checked(path, finding, content=digest, **of)
    for path in sorted(p for p in (folder / "plots").glob("*") if p.is_dir()):
        yield from _plot(store, family, variant, path)


def _records(store: Store, family: Family) -> Iterator[Checked]:
    """What was settled for the studies of a family."""
    for path in sorted((store.root / family.name / STUDIES).glob("*.json")):
        of: dict[str, Any] = {"variant": "", "kind": f"studies/{path.stem}"}
        try:
            _, provenance, digest = jsonfile.decode(path.read_bytes(), path=path)
        except (TdwError, OSError) as error:
            yield _checked(path, Finding(str(path), "corrupt", _words(error), **of))
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
    except (TdwError, OSError) as error:
        yield _checked(folder / "manifest.json", Finding(str(folder), "corrupt", _words(error), **of))
        return
    else:
        for name in plot.files:
            finding = None
            try:
                plot.read(name)
            except (TdwError, OSError) as error:
                finding = Finding(str(folder), "corrupt", _words(error), **of)
            yield _checked(plot.folder / name, finding, **of)
    for other in sorted(p for p in folder.iterdir() if p.is_dir() and p.name != named):
        yield _checked(other, Finding(str(other), "orphan", "files that no manifest names", **of))


def _misplaced_table(provenance: Provenance, address: TableAddress) -> str:
    expected = {"family": address.family, "variant": address.variant or "", "name": address.name}
    wrong = [
        f"{k} is {getattr(provenance, k)}, not {v}"
        for k, v in expected.items()
        if getattr(provenance, k) != v
    ]
    return "; ".join(wrong)


def _words(error: Exception) -> str:
    return error.what if isinstance(error, TdwError) else str(error)


def _checked(path: Path, finding: Finding | None, **cell: Any) -> Checked:
    if finding is not None:
        cell = {"variant": finding.variant, "kind": finding.kind, "epoch": finding.epoch}
    return Checked(str(path), path.stat().st_size if path.is_file() else 0, finding, **cell)
