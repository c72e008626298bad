"""Disks that are full and disks that fail: the old version stays, the message names path
and bytes, a fill repairs.

Full: a limit on the size of files (RLIMIT_FSIZE, the signal ignored, as a full quota behaves), and a small
tmpfs where it can be mounted. Failing: the system calls of a commit give EIO, ENOSPC, EDQUOT or EACCES.
"""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tdw.errors import StoreError
from tdw.store import Address, Store
from tdw.store.layout import CHECKPOINTS

from ..checks import Watch
from ..dagster_work import (
    EventWatch,
    definitions,
    fill_everything,
    prepare,
    read_events,
    runs_undisturbed,
)
from ..kills.killing import run_child, undisturbed
from ..outcome import Outcome, Run
from ..work import FAMILY, VARIANTS, Tree, fill_by_library
from .failing import CALLS, failing, limited, tmpfs

HELD = (
    "the error names path and bytes, what was committed stays readable with its bytes, no file is half "
    "written, and the next fill gives what undisturbed work gives"
)
_NAMES_PATH_AND_BYTES = re.compile(
    r"StoreError: (/\S+): could not write [\d,]+ bytes \(.+\)|/locks/\S+: can't be made"
)
_ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES)


def full_disk(run: Run) -> Outcome:
    """Limits of every size, each once for new files and once for files that are to be replaced."""
    outcome = Outcome("disk full (limit on the size of files), while new files are written", HELD)
    reference, round_ = undisturbed(run), 0
    while not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        watch = Watch(root, reference, outcome)
        for _ in range(3):
            limit = int(10 ** run.random.uniform(2, 5.95))
            _fail(
                outcome,
                watch,
                root,
                lambda limit=limit, root=root: limited(limit, root, fill_by_library),
                f"{limit:,} bytes",
            )
        _heal(outcome, watch, root)
    return outcome


def full_tmpfs(run: Run) -> Outcome:
    """The same with a file system that really is full."""
    outcome = Outcome("disk full (a tmpfs smaller than the work)", HELD)
    reference, round_ = undisturbed(run), 0
    whole = sum((reference / path).stat().st_size for path in Tree.of(reference).digests)
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        with tmpfs(root, size_kb=max(256, int(whole * run.random.uniform(0.05, 0.95)) // 1024)) as mounted:
            if not mounted:
                outcome.notes["could not be mounted here: left to the limit on the size of files"] = 1
                return outcome
            watch = Watch(root, reference, outcome)
            _fail(outcome, watch, root, lambda root=root: fill_by_library(root), "a full tmpfs")
            subprocess.run(["mount", "-o", "remount,size=64m", str(root)], check=True)
            _heal(outcome, watch, root)
    return outcome


def replacing(run: Run) -> Outcome:
    """Old versions that are to be replaced on a full or failing disk."""
    outcome = Outcome("disk full or failing, while files that are there are replaced", HELD)
    root = run.scratch / "store"
    shutil.copytree(undisturbed(run), root)
    store = Store(root)
    before = Tree.of(root)
    addresses = [
        Address(FAMILY.name, VARIANTS[0], kind, epoch)
        for kind in (CHECKPOINTS, "states", "coarseness", "neuron_activations")
        for epoch in store.epochs(FAMILY.name, VARIANTS[0], kind)
    ]
    while not run.over:
        address = run.random.choice(addresses)
        old = store.read(address)
        others = {name: array + array.dtype.type(1) for name, array in old.arrays.items()}
        call, number = run.random.choice(CALLS[:4]), run.random.choice(_ERRORS)
        # After the rename the new version is the one that is seen: only what comes before it can fail here.
        outcome.injected += 1
        try:
            with failing(call, 1, number):
                store.write(address, others, provenance=old.provenance)
        except StoreError as error:
            if _NAMES_PATH_AND_BYTES.match(f"StoreError: {error}") is None:
                outcome.lose(f"{call}: {error}")
        else:
            outcome.lose(f"{call} fails with {errno.errorcode[number]}, and nobody is told")
        path = str(store.path(address).relative_to(root))
        outcome.require(
            Tree.of(store.path(address).parent).digests[store.path(address).name] == before.digests[path],
            f"{path} changed although {call} failed",
        )
    outcome.require(Tree.of(root).differs_from(before) == [], "files of the store changed")
    outcome.require(not list(root.rglob("*.tmp")), "temporary files stay after an error")
    return outcome


def failing_calls(run: Run) -> Outcome:
    """Each system call of a commit fails at each of its uses, one after another, through the whole work."""
    outcome = Outcome(
        "I/O errors at each open, write, fsync, rename and mkdir (EIO, ENOSPC, EDQUOT, EACCES)", HELD
    )
    reference = undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        for at, call in enumerate(CALLS):
            root = run.folder(f"store_{round_}_{at}")
            watch = Watch(root, reference, outcome)
            share = Run(run.scratch, run.random, run.seconds / len(CALLS), rounds=run.rounds)
            nth = 1
            while not share.over:
                if not _fail_at(outcome, watch, root, call, nth, run.random.choice(_ERRORS)):
                    outcome.notes[f"works in which every {call} failed once"] += 1
                    break
                nth = 2  # the one that failed succeeds now, and the one after it fails
            _heal(outcome, watch, root)
        round_ += 1
    return outcome


def _fail_at(outcome: Outcome, watch: Watch, root: Path, call: str, nth: int, number: int) -> bool:
    def work() -> None:
        with failing(call, nth, number):
            fill_by_library(root)

    what = f"use {nth} of {call} gives {errno.errorcode[number]}"
    return _fail(outcome, watch, root, work, what)


def full_under_dagster(run: Run) -> Outcome:
    """The event log can't be written either: the run fails, and the next one does the rest."""
    outcome = Outcome(
        "disk full under a run: artifacts, event log and run storage alike",
        "the run fails, nothing committed or recorded is lost; the next fill gives what undisturbed work "
        "gives, every cell recorded once",
    )
    reference = runs_undisturbed(run)
    round_ = 0
    while not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        prepare(root)
        definitions(root)
        watch, events = Watch(root, reference, outcome), EventWatch(root)
        databases = max(p.stat().st_size for p in (root / ".dagster").rglob("*.db"))
        for _ in range(3):
            limit = databases + run.random.randint(-100_000, 300_000)
            ended = run_child(lambda limit=limit, root=root: limited(limit, root, fill_everything), root)
            if ended.code == 0:
                break
            outcome.injected += 1
            watch.look(ended.committed, when=f"{limit:,} bytes")
            events.look(outcome.lose, when=f"{limit:,} bytes")
        ended = run_child(lambda root=root: fill_everything(root), root)
        outcome.require(ended.code == 0, f"the fill after it failed: {ended.words}")
        watch.finish()
        events.finish(outcome.lose, reference)
        outcome.notes["cells recorded"] += len(read_events(root))
    return outcome


# How it is done


def _fail(
    outcome: Outcome,
    watch: Watch,
    root: Path,
    work: Callable[[], None],
    what: str,
) -> bool:
    """One piece of work that should fail; False when there was nothing left that could."""
    ended = run_child(work, root)
    if ended.code == 0:
        return False
    outcome.injected += 1
    if _NAMES_PATH_AND_BYTES.search(ended.words) is None:
        outcome.lose(f"{what}: the message names no path and bytes: {ended.words[-300:]}")
    watch.look(ended.committed, when=what)
    return True


def _heal(outcome: Outcome, watch: Watch, root: Path) -> None:
    ended = run_child(lambda: fill_by_library(root), root)
    outcome.require(ended.code == 0, f"the next fill failed: {ended.words}")
    watch.finish()
