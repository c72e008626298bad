"""Disks that are full and disks that fail: the old version stays, the message names path
and bytes, a fill mends.

Full: a limit on the size of files (RLIMIT_FSIZE, the signal ignored, as a full quota behaves), and a small
tmpfs where it can be mounted. Failing: the system calls of a commit give EIO, ENOSPC, EDQUOT or EACCES.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tdw.errors import StoreError
from tdw.store import Address, Store, commit
from tdw.store.layout import CHECKPOINTS

from .checks import Watch
from .dagster_work import (
    EventWatch,
    definitions,
    fill_everything,
    prepare,
    read_events,
    runs_undisturbed,
)
from .killing import run_child, undisturbed
from .outcome import Outcome, Run
from .work import FAMILY, VARIANTS, Tree, fill_by_library

HELD = (
    "the error names path and bytes, what was committed stays readable with its bytes, no file is half "
    "written, and the next fill gives what undisturbed work gives"
)
_NAMES_PATH_AND_BYTES = re.compile(
    r"StoreError: (/\S+): could not write [\d,]+ bytes \(.+\)|/locks/\S+: can't be made"
)
_ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES)
_CALLS = ("open", "write", "fsync", "replace", "fsync of the folder", "mkdir")


def full_disk(run: Run) -> Outcome:
    """Limits of every size, each once for new files and once for files that are to be replaced."""
    outcome = Outcome("disk full (limit on the size of files), while new files are written", HELD)
    reference = undisturbed(run)
    while not run.over:
        root = run.folder(f"store_{outcome.injected}")
        watch = Watch(root, reference, outcome)
        for _ in range(3):
            limit = int(10 ** run.random.uniform(2, 5.95))
            _fail(
                outcome, watch, root, lambda limit=limit, root=root: _limited(limit, root), f"{limit:,} bytes"
            )
        _heal(outcome, watch, root)
    return outcome


def full_tmpfs(run: Run) -> Outcome:
    """The same with a file system that really is full."""
    outcome = Outcome("disk full (a tmpfs of 1-12 MB)", HELD)
    reference = undisturbed(run)
    while not run.over:
        root = run.folder(f"store_{outcome.injected}")
        with _tmpfs(root, size_mb=run.random.randint(1, 12)) as mounted:
            if not mounted:
                outcome.notes["could not be mounted here: left to the limit on the size of files"] = 1
                return outcome
            watch = Watch(root, reference, outcome)
            _fail(outcome, watch, root, lambda root=root: fill_by_library(root), "a full tmpfs", always=False)
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
        call, number = run.random.choice(_CALLS[:4]), run.random.choice(_ERRORS)
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
        "I/O errors at open, write, fsync, rename and mkdir (EIO, ENOSPC, EDQUOT, EACCES)", HELD
    )
    reference = undisturbed(run)
    round_ = 0
    while not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        watch = Watch(root, reference, outcome)
        for _ in range(8):
            call, number = run.random.choice(_CALLS), run.random.choice(_ERRORS)
            nth = run.random.randint(1, 12)

            def work(call: str = call, nth: int = nth, number: int = number, root: Path = root) -> None:
                with failing(call, nth, number):
                    fill_by_library(root)

            what = f"use {nth} of {call} gives {errno.errorcode[number]}"
            if not _fail(outcome, watch, root, work, what, always=False):
                break
        _heal(outcome, watch, root)
    return outcome


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
            ended = run_child(lambda limit=limit, root=root: _limited(limit, root, by_runs=True), root)
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


@contextlib.contextmanager
def failing(call: str, nth: int, number: int) -> Iterator[None]:
    """Inside, the nth use of a system call by a commit fails with an errno."""
    left = nth

    def counted(real: Callable[..., Any], *, mine: Callable[..., bool] = lambda *a, **k: True) -> Any:
        def call_it(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if mine(*args, **kwargs):
                left -= 1
                if left == 0:
                    raise OSError(number, os.strerror(number))
            return real(*args, **kwargs)

        return call_it

    def temporary(path: Path, *args: Any, **kwargs: Any) -> bool:
        return path.name.endswith(".tmp")

    class Writing:
        """A file of which a write fails after some of its bytes are on the disk."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __enter__(self) -> Writing:
            self._file.__enter__()
            return self

        def __exit__(self, *error: Any) -> None:
            self._file.__exit__(*error)

        def write(self, data: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                self._file.write(memoryview(data)[: len(data) // 2])
                self._file.flush()
                raise OSError(number, os.strerror(number))
            self._file.write(data)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    real_open = Path.open
    patches: dict[str, tuple[Any, str, Any]] = {
        "open": (Path, "open", counted(Path.open, mine=temporary)),
        "write": (
            Path,
            "open",
            lambda path, *a, **k: (
                Writing(real_open(path, *a, **k)) if temporary(path) else real_open(path, *a, **k)
            ),
        ),
        "fsync": (commit.os, "fsync", counted(os.fsync)),
        "replace": (Path, "replace", counted(Path.replace, mine=temporary)),
        "fsync of the folder": (commit, "_sync_folder", counted(commit._sync_folder)),
        "mkdir": (Path, "mkdir", counted(Path.mkdir)),
    }
    where, name, replacement = patches[call]
    real = getattr(where, name)
    setattr(where, name, replacement)
    try:
        yield
    finally:
        setattr(where, name, real)


def _limited(limit: int, root: Path, *, by_runs: bool = False) -> None:
    """In a child: work under a limit on the size of files."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as the interpreter does; a write then gives EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if by_runs:
        fill_everything(root)
    else:
        fill_by_library(root)


@contextlib.contextmanager
def _tmpfs(root: Path, *, size_mb: int) -> Iterator[bool]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(root)],
        capture_output=True,
        check=False,
    )
    try:
        yield mounted.returncode == 0
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(root)], check=True)


def _fail(
    outcome: Outcome,
    watch: Watch,
    root: Path,
    work: Callable[[], None],
    what: str,
    *,
    always: bool = True,
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
