"""What the processes of a schedule do: each job by a public door, and to be started again after any death."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import tdw
from tdw.making.comparison import write_comparison
from tdw.making.figures import render
from tdw.recipes.catalog import catalog_of
from tdw.reconcile.seen import Seen
from tdw.store import Store
from tdw_assets.automation.run_requests import run_request
from tdw_assets.automation.sensor import look
from tdw_resources.event_storage import BatchingSqliteEventLogStorage
from tdw_resources.events import stream as events
from tdw_resources.instance import fail_dead_runs, open_instance
from tdw_workbench import cli
from tdw_workbench.fill.request import ALL
from tdw_workbench.fill.worker_process import execute

from ..dagster_work import (
    CELLS_A_BATCH,
    assets_of,
    definitions,
    fill_by_runs,
    home_of,
    tell_of_events,
    wanted,
)
from ..work import FAMILY, VARIANTS
from .seat import Seat

_EPOCHS, _ANALYZERS = (0, 6, 12), ("dominant_frequencies", "coarseness_stats")
Job = Callable[[Path], None]
"""Store -> None. It may be done by several processes at once, and again after it is done."""


def make(root: Path, variant: str) -> None:
    """Train, analyze and summarize a variant, as a notebook does."""
    tdw.open(root).make(variant, _EPOCHS, analyzers=_ANALYZERS)


def draw(root: Path, variant: str) -> None:
    """Make a variant, and a plot of it: a plot of less would have other bytes."""
    make(root, variant)
    store, name = Store(root), "training_curves"
    with store.lock(FAMILY.name, variant, "summarize"):  # as whoever draws in `tdw` does
        if not (store.document_folder(FAMILY.name, variant, name) / "manifest.json").exists():
            render(catalog_of(FAMILY).plot(name), store, family=FAMILY, variants=[variant]).write(store)


def compare(root: Path) -> None:
    """The tables over the variants."""
    write_comparison(Store(root), FAMILY, [FAMILY.parse_variant(key) for key in VARIANTS])


def make_everything(root: Path) -> None:
    """All that the jobs above make."""
    for variant in VARIANTS:
        make(root, variant)
    draw(root, VARIANTS[0])
    compare(root)


def bundle_of(root: Path, variant: str) -> Path:
    """Where a store's bundle of a variant is exported to: beside the results, for points at its files."""
    return root / ".bundles" / f"{variant}.tdw.tar"


def export(root: Path, variant: str) -> None:
    """Export what the store has of a variant into an archive."""
    tdw.open(root).export(bundle_of(root, variant), variant)


def import_(root: Path, bundle: Path) -> None:
    """An archive of undisturbed work."""
    tdw.open(root).import_bundle(bundle)


def repair(root: Path) -> None:
    """`tdw verify --repair`, while others are at work.

    Raises:
        RuntimeError: it did not repair; says why.
    """
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = cli.main(["verify", "--repair", "--store", str(root)])
    if code:
        raise RuntimeError(said.getvalue())


def fill(root: Path, *variants: str) -> None:
    """What a worker of `tdw fill` does."""
    fill_by_runs(root, *variants, ALL)


def automate(root: Path, cursor: str) -> None:
    """The sensor's ticks, each of them doubled, and what they ask for, until nothing more is asked for.

    A tick is the daemon's call without the daemon: what it asks for is started unless a run of the same key
    was started before, which is the daemon's own rule.

    Args:
        cursor: "kept" from tick to tick, "lost", or "old": that of the first tick.

    Raises:
        RuntimeError: the doubled tick asks for something else, or a run failed.
    """
    events.BATCH_CELLS = CELLS_A_BATCH
    home = home_of(root)
    store, saved, keys = Store(root), home / "cursor", home / "keys"
    started = set(keys.read_text().split()) if keys.exists() else set[str]()
    kept = saved.read_text() if saved.exists() and cursor != "lost" else ""
    seen = Seen.read(kept) if kept else Seen()
    with open_instance(home) as instance:
        fail_dead_runs(instance)
        while True:
            with Seat.here.undivided():  # between two looks, others would change what there is to ask for
                first, second = (look(wanted(), instance, store, seen) for _ in range(2))
            asked, again = (
                [run_request(wanted(), task, attempt=attempt).run_key for task, attempt in one.tasks]
                for one in (first, second)
            )
            if asked != again:
                raise RuntimeError(f"a doubled tick asks for something else: {asked} and {again}")
            both = zip(asked, first.tasks, strict=True)
            new = [(key, task) for key, (task, _) in both if key not in started]
            for key, task in new:
                started.add(str(key))
                with keys.open("a") as file:
                    file.write(f"{key}\n")
                if task.stage != "check":
                    done = execute(wanted(), task, defs=definitions(root), instance=instance)
                    if done.error:
                        raise RuntimeError(f"{done.stage} of {done.variant}: {done.error}")
            seen = first.seen
            if cursor != "old":
                saved.write_text(json.dumps(asdict(seen)))
            if not new and not first.seen.queue:
                return


def take_points_at_events(seat: Seat) -> None:
    """In a process of a schedule: a write to the event log is a point, and may be lost on its way."""
    tell_of_events(seat.point)
    write = BatchingSqliteEventLogStorage.store_event_batch

    def perhaps(self: BatchingSqliteEventLogStorage, batch: Any) -> None:
        if seat.lose and assets_of(batch):
            seat.lose = False
            seat.point("lost", f"event {','.join(assets_of(batch))}")
        else:
            write(self, batch)

    BatchingSqliteEventLogStorage.store_event_batch = perhaps


def by_the_library(random: Random, reference: Path) -> dict[str, Job]:
    """Name -> job, for one schedule."""
    first, second = random.sample(VARIANTS, 2)
    others: dict[str, Job] = {
        f"make {first} again": lambda root: make(root, first),
        "compare": compare,
        "draw": lambda root: draw(root, VARIANTS[0]),
        f"export {first}": lambda root: export(root, first),
        f"import {first}": lambda root: import_(root, bundle_of(reference, first)),
        f"import {second}": lambda root: import_(root, bundle_of(reference, second)),
        "repair": repair,
    }
    names = random.sample(list(others), random.randint(1, 3))
    return {
        f"make {first}": lambda root: make(root, first),
        f"make {second}": lambda root: make(root, second),
        **{name: others[name] for name in names},
    }


def by_runs(random: Random, reference: Path) -> dict[str, Job]:
    """The same for Dagster runs."""
    first, second = random.sample(VARIANTS, 2)
    cursor = random.choice(["kept", "lost", "old"])
    others: dict[str, Job] = {
        f"fill {second}, {first}": lambda root: fill(root, second, first),
        f"tick with its cursor {cursor}": lambda root: automate(root, cursor),
        f"import {first}": lambda root: import_(root, bundle_of(reference, first)),
        f"export {second}": lambda root: export(root, second),
        "repair": repair,
    }
    names = random.sample(list(others), random.randint(1, 2))
    return {
        f"fill {first}, {second}": lambda root: fill(root, first, second),
        **{name: others[name] for name in names},
    }
