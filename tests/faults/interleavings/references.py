"""What schedules are judged by: the same work, done once and disturbed by nobody."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..dagster_work import runs_undisturbed
from ..outcome import Run
from ..work import VARIANTS
from . import jobs


def warm_up(run: Run) -> None:
    """Do each job of the library once in this process: its children find everything imported and compiled."""
    reference, root = of_library(run), run.folder("warm")
    jobs.make_everything(root)
    jobs.repair(root)
    for variant in VARIANTS:
        jobs.export(root, variant)
        jobs.import_(root, jobs.bundle_of(reference, variant))


def of_library(run: Run) -> Path:
    """The store of `make_everything`, which nobody disturbs, and its bundles."""

    def work(root: Path) -> None:
        jobs.make_everything(root)
        _with_bundles(root)

    return run.undisturbed("made and bundles", work)


def of_runs(run: Run) -> Path:
    """The same of Dagster runs."""

    def work(root: Path) -> None:
        shutil.copytree(runs_undisturbed(run), root, dirs_exist_ok=True)
        _with_bundles(root)

    return run.undisturbed("runs and bundles", work)


def _with_bundles(root: Path) -> None:
    for variant in VARIANTS:
        jobs.export(root, variant)
