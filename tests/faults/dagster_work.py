"""The same work as Dagster runs, as a worker of `tdw fill` does it, and what the event log says then."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from tdw_assets.build import build_defs
from tdw_assets.cells.partitions import register_variants
from tdw_resources.event_storage import BatchingSqliteEventLogStorage
from tdw_resources.events import stream as events
from tdw_resources.instance import DEFAULT_HOME, fail_dead_runs, open_instance, size_pools
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.fill.worker_process import run_variant

from .kills.killing import steps_of
from .outcome import Run
from .work import ANALYZERS, study

CELLS_A_BATCH = 4
"""Few, so that events are written in the middle of the work and not only at its end."""


@cache
def wanted() -> WantedAssets:
    """What the disturbed study wants."""
    return WantedAssets.of(study())


_NO_CAPTURE = """
compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}
"""


@cache
def definitions(root: Path) -> dg.Definitions:
    """Built before the children are forked, its jobs too."""
    defs = build_defs(wanted(), resource_overrides={"store": StoreResource(root=str(root))})
    for job in ("train", "analyze", "summarize", "compare"):
        defs.resolve_job_def(wanted().named(job))
    return defs


def home_of(root: Path) -> Path:
    """A store's own Dagster home."""
    return root / ".dagster"


def prepare(root: Path) -> None:
    """Make the instance, so that the first death does not fall into its making."""
    home = home_of(root)
    home.mkdir(parents=True)
    # Dagster captures a step's output with four processes of its own; a thousand deaths do without them.
    (home / "dagster.yaml").write_text((DEFAULT_HOME / "dagster.yaml").read_text() + _NO_CAPTURE)
    with open_instance(home) as instance:
        size_pools(instance)
        register_variants(wanted(), instance, wanted().variants)


def runs_undisturbed(run: Run, fill: Callable[[Path], None] | None = None) -> Path:
    """The store and home of `fill` (default: everything), which nobody disturbs."""
    fill = fill or fill_everything

    def work(root: Path) -> None:
        prepare(root)
        definitions(root)
        steps_of(fill, root)

    return run.undisturbed(fill.__name__, work)


def fill_by_runs(root: Path, *variants: str) -> None:
    """What `tdw fill` and its worker do for these variants, or with `ALL` over all of them.

    Raises:
        RuntimeError: a run failed.
    """
    events.BATCH_CELLS = CELLS_A_BATCH
    home = home_of(root)
    request = FillRequest(study().model_dump(mode="json"), str(root), str(home), wanted().variants)
    with open_instance(home) as instance:
        fail_dead_runs(instance)
        for variant in variants:
            for done in run_variant(
                request, variant, wanted=wanted(), defs=definitions(root), instance=instance
            ):
                if done.error:
                    raise RuntimeError(f"{done.stage} of {done.variant}: {done.error}")


def fill_one(root: Path) -> None:
    """One variant, then what is drawn over all that have anything."""
    fill_by_runs(root, wanted().variants[0], ALL)


def fill_everything(root: Path) -> None:
    """All variants, then what is drawn over them."""
    fill_by_runs(root, *wanted().variants, ALL)


def assets_of(batch: Any) -> list[str]:
    """Assets that a batch of events records as materialized."""
    return sorted(
        {
            event.dagster_event.asset_key.to_user_string()
            for event in batch
            if event.is_dagster_event and event.dagster_event.is_step_materialization
        }
    )


def is_cell(what: str) -> bool:
    """Whether a printed (asset, partition) is a checkpoint or an analyzer's cell."""
    return any(f'"{name}"' in what for name in ("checkpoint", *ANALYZERS)) and "summaries" not in what


def without_products(lose: Callable[[str], None]) -> Callable[[str], None]:
    """Tables and plots may be made anew when more has come in; a cell may not."""

    def only_cells(what: str) -> None:
        if is_cell(what) or "is gone" in what or "runs are" in what:
            lose(what)

    return only_cells


def tell_of_events(reached: Callable[[str, object], None]) -> None:
    """A child's hook: it reports materializations as they go to the event log's two databases."""
    store_batch = BatchingSqliteEventLogStorage.store_event_batch
    index = BatchingSqliteEventLogStorage.index_transaction
    writing: list[str] = []

    def observed(self: BatchingSqliteEventLogStorage, batch: Any) -> None:
        assets = ",".join(assets_of(batch))
        if not assets:
            store_batch(self, batch)
            return
        writing.append(f"event {assets}")
        reached("before", writing[-1])
        store_batch(self, batch)
        reached("after", writing.pop())

    def observed_index(self: BatchingSqliteEventLogStorage) -> Any:
        if writing:
            reached("logged", writing[-1])  # in the run's own database, not yet in the one that is queried
        return index(self)

    BatchingSqliteEventLogStorage.store_event_batch = observed
    BatchingSqliteEventLogStorage.index_transaction = observed_index


def read_events(root: Path) -> Counter[tuple[str, str]]:
    """(asset, partition) -> how often its materialization was recorded; straight from the database."""
    path = home_of(root) / "history" / "runs" / "index.db"
    query = (
        "SELECT asset_key, partition, COUNT(*) FROM event_logs "
        "WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY asset_key, partition"
    )
    if not path.exists():
        return Counter()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        # The file is there before its tables are: then there are no events yet.
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'event_logs'").fetchone():
            return Counter()
        return Counter({(asset, partition or ""): n for asset, partition, n in connection.execute(query)})


class EventWatch:
    """After every death: no event lost, none recorded twice."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: Counter[tuple[str, str]] = Counter()

    def look(self, lose: Callable[[str], None], *, when: str) -> None:
        """After a death."""
        now = read_events(self._root)
        for cell, number in self._seen.items():
            if now[cell] < number:
                lose(f"{when}: an event of {cell} is gone")
        for cell, number in now.items():
            if number > max(1, self._seen[cell]):
                lose(f"{when}: {cell} is recorded {number} times")
        self._seen = now

    def finish(self, lose: Callable[[str], None], reference: Path) -> None:
        """In the end: the same cells as of undisturbed work, once each."""
        now, wanted = read_events(self._root), read_events(reference)
        for cell in now.keys() ^ wanted.keys():
            lose(f"at the end: {cell} is recorded {now[cell]} times, undisturbed work records {wanted[cell]}")
        for status, number in run_statuses(self._root).items():
            if status not in ("SUCCESS", "FAILURE", "CANCELED"):
                lose(f"at the end: {number} runs are {status}")


def run_statuses(root: Path) -> Counter[str]:
    """Status -> number of runs."""
    path = home_of(root) / "history" / "runs.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return Counter(dict(connection.execute("SELECT status, COUNT(*) FROM runs GROUP BY status")))
