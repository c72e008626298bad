"""Several processes at once: on one cell, on different cells, on one variant; readers in between."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tdw.store import Address, Provenance, Store

from .checks import Watch
from .dagster_work import (
    EventWatch,
    definitions,
    fill_by_runs,
    fill_everything,
    prepare,
    runs_undisturbed,
)
from .kills.killing import run_child, undisturbed
from .outcome import PATIENCE_S, Outcome, Run
from .work import FAMILY, VARIANTS, fill_by_library

_ROWS, _SIDE = 24, 48


def same_cell(run: Run, *, writers: int) -> Outcome:
    """All write one cell, each time with other content; readers must see one version, whole."""
    outcome = Outcome(
        f"{writers} writers on one cell, two readers meanwhile",
        "every read gives one version, whole and checked; no temporary file stays",
    )
    root = run.folder("store")
    address = Address(FAMILY.name, VARIANTS[0], "neuron_activations", 0)
    _write(root, address, 0)
    counts = _together(run, [lambda n=n: _keep_writing(run, root, address, n) for n in range(writers)], root)
    reads = _together_reading(run, root, address, counts)
    _settle(outcome, root, reads)
    return outcome


def different_cells(run: Run, *, writers: int) -> Outcome:
    """Each writes cells of its own in one folder."""
    outcome = Outcome(
        f"{writers} writers on different cells of one folder, two readers meanwhile",
        "every read gives one version, whole and checked; every cell is there in the end",
    )
    root = run.folder("store")
    cells = [Address(FAMILY.name, VARIANTS[0], "neuron_activations", n) for n in range(writers)]
    for cell in cells:
        _write(root, cell, 0)
    counts = _together(run, [lambda c=c: _keep_writing(run, root, c, 0) for c in cells], root)
    reads = _together_reading(run, root, cells[0], counts)
    _settle(outcome, root, reads)
    there = Store(root).epochs(FAMILY.name, VARIANTS[0], "neuron_activations")
    outcome.require(there == list(range(writers)), f"cells in the end: {there}")
    return outcome


def one_variant(run: Run, *, workers: int) -> Outcome:
    """All do the same work on the same variant, by the library."""
    outcome = Outcome(
        f"{workers} processes that train and analyze one variant at once (library)",
        "the files are those of undisturbed work, byte for byte",
    )
    reference = undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        pids = [fork(lambda root=root: fill_by_library(root), root, n) for n in range(workers)]
        expect_success(outcome, pids, root)
        outcome.injected += workers
        Watch(root, reference, outcome).finish()
    return outcome


def fills(run: Run, *, workers: int) -> Outcome:
    """Several fills on one store at once: no cell twice, none missing."""
    outcome = Outcome(
        f"{workers} fills of one study at once (Dagster runs), half of them on the same variant",
        "the files are those of undisturbed work, every cell is recorded once",
    )
    reference = runs_undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        prepare(root)
        definitions(root)
        orders: list[Sequence[str]] = [
            [VARIANTS[0]] if n % 2 == 0 else [VARIANTS[1], VARIANTS[0]] for n in range(workers)
        ]
        pids = [fork(lambda o=o, root=root: fill_by_runs(root, *o), root, n) for n, o in enumerate(orders)]
        expect_success(outcome, pids, root)
        outcome.injected += workers
        EventWatch(root).look(outcome.lose, when=f"{workers} fills at once")
        ended = run_child(lambda root=root: fill_everything(root), root)
        outcome.require(ended.code == 0, f"the fill after it failed: {ended.words}")
        Watch(root, reference, outcome).finish()
        EventWatch(root).finish(outcome.lose, reference)
    return outcome


# How it is done


def _write(root: Path, address: Address, version: int) -> None:
    """A cell whose every value is the version: a torn read mixes two."""
    provenance = Provenance(
        FAMILY.name, address.variant, address.kind, address.epoch, code_version=str(version)
    )
    array = np.full((_ROWS, _SIDE, _SIDE), version, np.float32)
    array[:, 0, 0] += 0.5
    Store(root).write(address, {address.kind: array}, provenance=provenance, quantize=(address.kind,))


def _keep_writing(run: Run, root: Path, address: Address, number: int) -> int:
    done = 0
    while not run.over:
        done += 1
        _write(root, address, number * 100_000 + done)
    return done


def _together(run: Run, works: Sequence[Callable[[], int]], root: Path) -> list[int]:
    """Fork all of them; their pids."""
    return [fork(work, root, n) for n, work in enumerate(works)]


def _together_reading(
    run: Run, root: Path, address: Address, writers: Sequence[int]
) -> dict[str, int | list[str]]:
    """Read until the time is up, whole and by rows; then wait for the writers."""
    store, reads, wrong = Store(root), 0, list[str]()
    while not run.over:
        try:
            artifact = store.read(address)
            version = int(artifact.provenance.code_version)
            values = np.unique(artifact.arrays[address.kind])
            if not set(np.floor(values).tolist()) <= {float(version)}:
                wrong.append(f"version {version} holds {values[:4]}")
            rows = store.read_rows(address, address.kind, [3, 17, 5])
            if len(np.unique(np.floor(rows))) != 1:
                wrong.append(f"rows of several versions: {np.unique(rows)[:4]}")
        except Exception as error:
            wrong.append(f"{type(error).__name__}: {error}")
        reads += 1
    written = 0
    for pid in writers:
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            wrong.append("a writer failed: " + _words(root))
    written = sum(1 for _ in root.parent.glob(f"{root.name}.*.count"))
    return {"reads": reads, "writers": written, "wrong": wrong}


def _settle(outcome: Outcome, root: Path, found: dict[str, int | list[str]]) -> None:
    counts = [int(path.read_text() or 0) for path in root.parent.glob(f"{root.name}.*.count")]
    outcome.injected += sum(counts)
    outcome.notes["commits"] += sum(counts)
    outcome.notes["reads"] += int(found["reads"])  # type: ignore[arg-type]
    for what in found["wrong"]:  # type: ignore[union-attr]
        outcome.lose(str(what))
    left = list(root.rglob("*.tmp"))
    outcome.require(not left, f"temporary files stay: {left[:3]}")


def fork(work: Callable[[], object], root: Path, number: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(os.open(os.devnull, os.O_RDWR), 2)
        result = work()
        if isinstance(result, int):
            (root.parent / f"{root.name}.{number}.count").write_text(str(result))
        code = 0
    except BaseException:
        (root.parent / f"{root.name}.{number}.error").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def expect_success(outcome: Outcome, pids: Sequence[int], root: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    for pid in pids:
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > end:
                os.kill(pid, 9)
            time.sleep(0.05)
        outcome.require(os.waitstatus_to_exitcode(status) == 0, f"one of them failed: {_words(root)}")


def _words(root: Path) -> str:
    return "\n".join(path.read_text()[-600:] for path in root.parent.glob(f"{root.name}.*.error"))
