"""Re-read everything in a store and say what is wrong with which file.

Looks at every byte: seal (checksum over the whole file), header, provenance against the place of the file,
finite values, weights against the configuration, artifacts against their checkpoint. What Dagster recorded is
not its business; the layer above compares that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tdw.errors import CorruptFile, NotFound, TdwError
from tdw.families import FAMILIES, Family
from tdw.store import Address, Artifact, Provenance, Store, TableAddress
from tdw.store.commit import TEMPORARY, leftovers
from tdw.store.fingerprints import fingerprint_arrays, short
from tdw.store.layout import CHECKPOINTS, COMPARISON, STATES

Problem = Literal["corrupt", "mismatch", "not finite", "temporary", "unknown"]
_EPOCH = re.compile(r"(\d{5,})\.safetensors")
_KINDS_APART = ("summaries", "plots", "locks")


@dataclass(frozen=True)
class Finding:
    """Something wrong with one file.

    Attributes:
        path: of the file.
        problem: "corrupt" (bytes changed or cut), "mismatch" (it belongs to another variant, probe or
            checkpoint), "not finite", "temporary" (left by a killed writer), "unknown" (not of this store).
        detail: what exactly.
        variant, kind, epoch: the cell it is, where it is one; epoch is None for tables and plots.
    """

    path: str
    problem: Problem
    detail: str
    variant: str = ""
    kind: str = ""
    epoch: int | None = None


@dataclass(frozen=True)
class Checked:
    """One file that was re-read: how many bytes, and what is wrong with it, if anything."""

    path: str
    nbytes: int
    finding: Finding | None


def verify(store: Store, *, families: tuple[Family, ...] = FAMILIES) -> Iterator[Checked]:
    """Re-read every file, one `Checked` a file as it is done, folder by folder.

    Args:
        store: with a local root.
        families: whose folders are expected.
    """
    root: Path = store.root
    for path in leftovers(root):
        yield _checked(path, Finding(str(path), "temporary", "left by a writer that was killed"))
    for family in families:
        for variant in store.variants(family.name):
            yield from _variant(store, family, variant)
        if (root / family.name / COMPARISON).is_dir():
            yield from _tables_and_plots(store, family, None)
    for path in sorted(p for p in root.iterdir() if not p.name.startswith(".")) if root.is_dir() else ():
        if path.name not in {family.name for family in families}:
            yield _checked(path, Finding(str(path), "unknown", "not the folder of a registered family"))


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


def _arrays(store: Store, family: Family, config: Any, address: Address, weights: dict[int, str]) -> Checked:
    path: Path = store.path(address)

    def found(problem: Problem, detail: str) -> Checked:
        return _checked(
            path, Finding(str(path), problem, detail, address.variant, address.kind, address.epoch)
        )

    try:
        artifact = store.read(address)
    except NotFound:
        return found("corrupt", "vanished while it was read")
    except CorruptFile as error:
        return found("corrupt", error.what)
    wrong = _misplaced(artifact.provenance, address, family, config)
    if wrong:
        return found("mismatch", wrong)
    for name, array in artifact.arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return found(
                "not finite", f"{name} holds {int((~np.isfinite(array)).sum())} values that are not finite"
            )
    if address.kind == CHECKPOINTS:
        weights[address.epoch] = fingerprint_arrays(artifact.arrays)
        wrong = _wrong_weights(artifact, config, weights[address.epoch])
    elif address.kind != STATES:
        mark = artifact.provenance.checkpoint_fingerprint
        if address.epoch in weights and mark != weights[address.epoch]:
            wrong = f"made from checkpoint {short(mark)}, the one stored is {short(weights[address.epoch])}"
    return found("mismatch", wrong) if wrong else _checked(path, None)


def _misplaced(provenance: Provenance, address: Address, family: Family, config: Any) -> str:
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


def _wrong_weights(artifact: Artifact, config: Any, fingerprint: str) -> str:
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
        detail = ""
        try:
            store.read_table(TableAddress(family.name, variant, path.stem))
        except TdwError as error:
            detail = error.what
        finding = Finding(str(path), "corrupt", detail, variant or "", f"summaries/{path.stem}")
        yield _checked(path, finding if detail else None)
    for path in sorted((folder / "plots").glob("*/manifest.json")):
        detail = ""
        try:
            plot = store.read_plot(family.name, variant, path.parent.name)
            for name in plot.files:
                plot.read(name)
        except TdwError as error:
            detail = error.what
        finding = Finding(str(path), "corrupt", detail, variant or "", f"plots/{path.parent.name}")
        yield _checked(path, finding if detail else None)


def _checked(path: Path, finding: Finding | None) -> Checked:
    return Checked(str(path), path.stat().st_size if path.is_file() else 0, finding)
