"""Bytes that change under us: truncation at any length, flipped bits, lost or misplaced blocks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tdw.errors import CorruptFile, NotFound, TdwError
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.store import Address, Store, TableAddress

from ..dagster_work import definitions, fill_everything, runs_undisturbed
from ..kills.killing import run_child, undisturbed
from ..outcome import Outcome, Run
from ..work import FAMILY, VARIANTS, Tree

HELD = "detected before any use, by an error that names the file"


def truncated(data: bytes, random: Random) -> bytes:
    """Cut off, often near an end, where headers and footers are."""
    near = random.random()
    if near < 0.2:
        return data[: random.randrange(min(256, len(data)))]
    if near < 0.4:
        return data[: -random.randint(1, min(256, len(data)))]
    return data[: random.randrange(len(data))]


def flipped(data: bytes, random: Random) -> bytes:
    """One bit of one byte changed; half of them in the first or last kilobyte."""
    at = random.randrange(len(data))
    if random.random() < 0.5:
        at = random.choice([at % 1024, -(at % 1024) - 1]) % len(data)
    changed = bytearray(data)
    changed[at] ^= 1 << random.randrange(8)
    return bytes(changed)


def scrambled(data: bytes, random: Random) -> bytes:
    """A block zeroed, written twice, or bytes appended: what a lost or misdirected write leaves behind."""
    size = min(512, len(data) // 2)
    here, there = (random.randrange(len(data) - size) for _ in range(2))
    changed = bytearray(data)
    kind = random.randrange(3)
    if kind == 0:
        changed[here : here + size] = bytes(size)
    elif kind == 1:
        changed[here : here + size] = data[there : there + size]
    else:
        changed += random.randbytes(random.randint(1, 64))
    return bytes(changed)


def readers(store: Store, path: Path) -> list[Callable[[], Any]]:
    """Every way of ours to read what lies at `path`."""
    family, variant, kind, name = path.relative_to(store.root).parts[:4]
    if kind == "summaries":
        return [lambda: store.read_table(TableAddress(family, variant, path.stem))]
    if kind == "plots":
        if path.name == "manifest.json":
            return [lambda: store.read_document(family, variant, name)]
        return [lambda: store.read_document(family, variant, name).read(path.name)]
    return [lambda: store.read(Address(family, variant, kind, int(path.stem)))]


def detection(run: Run, how: Callable[[bytes, Random], bytes], title: str) -> Outcome:
    """Damage one file at a time, of every kind in turn, and read it."""
    outcome = Outcome(title, HELD)
    store = _filled(run)
    kinds: dict[str, list[Path]] = {}
    for relative in Tree.of(store.root).digests:
        path = store.root / relative
        kind = path.relative_to(store.root).parts[2]
        kinds.setdefault(f"{kind}/*{path.suffix}" if kind in ("summaries", "plots") else kind, []).append(
            path
        )
    while not run.over:
        for kind, paths in kinds.items():
            path = run.random.choice(paths)
            good = path.read_bytes()
            bad = how(good, run.random)
            if bad == good:
                continue
            outcome.injected += 1
            outcome.notes[kind] += 1
            path.write_bytes(bad)
            for read in readers(store, path):
                _expect_refusal(outcome, read, path)
            path.write_bytes(good)
    return outcome


def truncations(run: Run) -> Outcome:
    """Files of every kind, cut at any length."""
    return detection(run, truncated, "truncation at a random length, every kind of file")


def flips(run: Run) -> Outcome:
    """Files of every kind with one flipped bit."""
    return detection(run, flipped, "a single flipped bit, every kind of file")


def scrambles(run: Run) -> Outcome:
    """Files of every kind with blocks lost or misplaced."""
    return detection(run, scrambled, "a block zeroed or misplaced, bytes appended, every kind of file")


def slices(run: Run) -> Outcome:
    """Rows that are read without the rest of the file: right values or an error, whatever the damage."""
    outcome = Outcome(
        "a flipped bit, a cut or a lost block in a file of which some rows are read",
        "the rows are those that were committed, or an error names the file",
    )
    store = _filled(run)
    names = {"neuron_activations": "neuron_activations"}
    while not run.over:
        for kind, name in names.items():
            epoch = run.random.choice(store.epochs(FAMILY.name, VARIANTS[0], kind))
            address = Address(FAMILY.name, VARIANTS[0], kind, epoch)
            path = store.path(address)
            rows = run.random.sample(range(512), 3)
            good, wanted = path.read_bytes(), store.read_rows(address, name, rows)
            path.write_bytes(run.random.choice([truncated, flipped, scrambled])(good, run.random))
            outcome.injected += 1
            try:
                found = store.read_rows(address, name, rows)
            except (CorruptFile, NotFound) as error:
                outcome.require(str(path) in str(error), f"the error does not name {path}: {error}")
                outcome.notes["refused"] += 1
            except Exception as error:
                outcome.lose(f"{path}: {type(error).__name__} instead of an error of ours: {error}")
            else:
                outcome.notes["read right: the damage was elsewhere"] += 1
                outcome.require(np.array_equal(found, wanted), f"{path}: rows {rows} have other values")
            path.write_bytes(good)
    return outcome


def healing(run: Run) -> Outcome:
    """Many files of a recorded store damaged or deleted at once: found, put aside, filled."""
    outcome = Outcome(
        "files damaged or deleted behind Dagster's back, many at once",
        "`tdw verify` names exactly these; after --repair a fill gives every byte again",
    )
    root = run.scratch / "store"
    shutil.copytree(runs_undisturbed(run), root)
    definitions(root)
    store, reference = Store(root), Tree.of(root)
    original = {path: (root / path).read_bytes() for path in reference.digests}
    while not run.over:
        # States are no artifacts: a damaged one is set aside, and replay starts from the one before it.
        paths = sorted(path for path in reference.digests if "/states/" not in path)
        chosen = run.random.sample(paths, run.random.randint(1, len(paths) // 3))
        deleted = [path for path in chosen if run.random.random() < 0.3]
        for path in chosen:
            if path in deleted:
                (root / path).unlink()
            else:
                how = run.random.choice([truncated, flipped, scrambled])
                while (damaged := how(original[path], run.random)) == original[path]:
                    pass  # a block of zeros was zeroed
                (root / path).write_bytes(damaged)
        outcome.injected += len(chosen)
        outcome.notes["damaged"] += len(chosen) - len(deleted)
        outcome.notes["deleted"] += len(deleted)
        _expect_named(outcome, store, set(chosen) - set(deleted))
        list(repair(store, [file.finding for file in verify(store) if file.finding]))
        ended = run_child(lambda: fill_everything(root), root)
        outcome.require(ended.code == 0, f"the fill failed: {ended.words}")
        for path in Tree.of(root).differs_from(reference):
            outcome.lose(f"{path} is not what it was")
        for file in verify(store):
            if file.finding:
                outcome.lose(f"after the fill: {file.finding.problem}: {file.path}: {file.finding.detail}")
    return outcome


def _expect_named(outcome: Outcome, store: Store, damaged: set[str]) -> None:
    named = {
        str(Path(file.path).relative_to(store.root))
        for file in verify(store)
        if file.finding and file.finding.problem == "corrupt"
    }
    for path in damaged:
        # A plot is one thing: of its files the first that is wrong speaks for all.
        folder = str(Path(path).parent)
        plot = "/plots/" in path and any(
            other.startswith(path.split("/plots/")[0] + "/plots/") for other in named
        )
        outcome.require(path in named or plot, f"{path} is damaged, and nobody says so ({folder})")


def _expect_refusal(outcome: Outcome, read: Callable[[], Any], path: Path) -> None:
    try:
        read()
    except TdwError as error:
        outcome.require(str(path) in str(error), f"the error does not name {path}: {error}")
    except Exception as error:
        outcome.lose(f"{path}: {type(error).__name__} instead of an error of ours: {error}")
    else:
        outcome.lose(f"{path} was read although it is damaged")


def _filled(run: Run) -> Store:
    root = run.scratch / "store"
    shutil.copytree(undisturbed(run), root)
    return Store(root)
