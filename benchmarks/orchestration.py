"""What recording work in Dagster costs: a run over 95 checkpoints, 8 analyzers, against the library alone.

Both sides compute the same cells into empty stores in turn (library, Dagster, Dagster, library, ...), so that
a noisy neighbor disturbs them alike. Measured from the first cell's start to the last event, written; what a
run costs before its first cell and after its last, and what a process costs before that, are stated apart.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import common
import dagster as dg
import yaml

from tdw.families import get_family
from tdw.making import artifacts as runner
from tdw.store import Store
from tdw.study import Study, load_study
from tdw.training.loop import train
from tdw_assets.build import build_defs
from tdw_assets.cells.partitions import register_variants
from tdw_resources.events import stream as events
from tdw_resources.events.records import inventory_of
from tdw_resources.instance import open_instance, size_pools
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets
from tdw_workbench.fill.worker_process import execute

FAMILY = get_family("modulo_addition_1layer")
ANALYZERS = (
    "neuron_activations",
    "attention_patterns",
    "dominant_frequencies",
    "neuron_frequencies",
    "downsampled_activations",
    "coarseness",
    "coarseness_stats",
    "progress_measures",
)


@dataclass
class Clock:
    """Wall and CPU time between two marks of this process; `after`: wall seconds to the end of the run."""

    first: tuple[float, float] = (0.0, 0.0)
    last: tuple[float, float] = (0.0, 0.0)
    after: float = 0.0

    def start(self) -> None:
        """The first cell begins."""
        self.first = (time.perf_counter(), time.process_time())

    def stop(self) -> None:
        """The last thing so far is done."""
        self.last = (time.perf_counter(), time.process_time())

    @property
    def wall(self) -> float:
        """Seconds."""
        return self.last[0] - self.first[0]

    @property
    def cpu(self) -> float:
        """Seconds."""
        return self.last[1] - self.first[1]


def main() -> None:
    parser = common.parser(__doc__)
    parser.set_defaults(rounds=2)
    parser.add_argument("--p", type=int, default=113)
    parser.add_argument("--checkpoints", type=int, default=95)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        study = make_study(root, options.p, options.checkpoints)
        trained = root / "trained"
        for _ in train(study.configs[0], store=Store(trained), checkpoints=study.epoch_list, device="cpu"):
            pass
        by_library(study, trained, root / "warm_up", some=1)
        turns: list[tuple[str, Callable[..., Clock]]] = [("library", by_library), ("run", by_run)]
        taken: dict[str, list[Clock]] = {"library": [], "run": []}
        for turn in range(options.rounds):
            for name, work in turns if turn % 2 == 0 else reversed(turns):
                taken[name].append(work(study, trained, root / f"{name}_{turn}"))
                shutil.rmtree(root / f"{name}_{turn}", ignore_errors=True)
        fixed = fixed_costs(study, trained, root)
        stored = event_cost(root)
    report(options, study, taken, fixed | stored)


def make_study(root: Path, p: int, checkpoints: int) -> Study:
    """A study file of one variant and its first epochs: their analysis costs what that of others does."""
    path = root / "study.yaml"
    values = {
        "name": "orchestration",
        "family": FAMILY.name,
        "variants": [{"p": p, "seed": 999, "data_seed": 598}],
        "epochs": checkpoints - 1,
        "checkpoints": [f"0:{checkpoints - 1}:1"],
        "analyzers": list(ANALYZERS),
        "training": {"device": "cpu"},
    }
    path.write_text(yaml.safe_dump(values))
    return load_study(path)


def by_library(study: Study, trained: Path, root: Path, *, some: int | None = None) -> Clock:
    """Every cell, without Dagster."""
    shutil.copytree(trained, root)
    clock = Clock()
    cells = dict.fromkeys(ANALYZERS, study.epoch_list[:some])
    results = runner.analyze(Store(root), FAMILY, study.configs[0], cells, device="cpu")
    clock.start()
    for done in results:
        if done.error is not None:
            raise done.error
    clock.stop()
    return clock


@contextlib.contextmanager
def recorded(
    wanted: WantedAssets, trained: Path, root: Path
) -> Iterator[tuple[dg.DagsterInstance, dg.Definitions]]:
    """A copy of the trained store, an instance that has its checkpoints on record, and definitions."""
    shutil.copytree(trained, root)
    variant = wanted.variants[0]
    with open_instance(root / ".dagster") as instance:
        size_pools(instance)
        register_variants(wanted, instance, wanted.variants)
        defs = build_defs(wanted, resource_overrides={"store": StoreResource(root=str(root))})
        job = defs.resolve_job_def(wanted.named("train"))
        keys = {"dagster/asset_partition_range_start": f"00000|{variant}"}
        keys["dagster/asset_partition_range_end"] = f"{wanted.epochs[-1]:05d}|{variant}"
        assert job.execute_in_process(instance=instance, tags=keys).success
        yield instance, defs


def by_run(study: Study, trained: Path, root: Path) -> Clock:
    """The same cells as one Dagster run, each with its planned and its materialized event."""
    clock = Clock()
    wanted = WantedAssets.of(study)
    with recorded(wanted, trained, root) as (instance, defs):
        inventory = inventory_of(wanted, instance, Store(root))
        task = inventory.task("analyze", inventory.gaps_of(wanted.variants[0]))
        assert task is not None and task.size == len(ANALYZERS) * len(study.epoch_list)
        with _timed(clock):
            done = execute(wanted, task, defs=defs, instance=instance)
        clock.after = time.perf_counter() - clock.last[0]
        assert not done.error, done.error
        count = sum(len(instance.get_materialized_partitions(wanted.key(name))) for name in ANALYZERS)
        assert count == task.size, f"{count} of {task.size} cells are recorded"
    return clock


class _timed:
    """Inside, the clock starts with the first cell and stops with every batch of events that was written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._analyze, self._report = runner.analyze, events.report_materializations

    def __enter__(self) -> None:
        def analyze(*args, **kwargs):
            results = self._analyze(*args, **kwargs)
            self._clock.start()
            yield from results

        def report_materializations(*args, **kwargs) -> None:
            self._report(*args, **kwargs)
            self._clock.stop()

        runner.analyze, events.report_materializations = analyze, report_materializations

    def __exit__(self, *error: object) -> None:
        runner.analyze, events.report_materializations = self._analyze, self._report


def fixed_costs(study: Study, trained: Path, root: Path) -> dict[str, float]:
    """Seconds from the start of `tdw fill` to the first cell of its first analysis, and what they go into."""
    store = root / "fixed"
    with recorded(WantedAssets.of(study), trained, store):
        pass
    study_file = root / "study.yaml"
    command = [
        sys.executable,
        "-m",
        "tdw_workbench.cli",
        "fill",
        "--store",
        str(store),
        "--study",
        str(study_file),
    ]
    variant = study.variant_keys[0]
    started = time.time()
    subprocess.run(
        [*command, "--assets", "attention_patterns", "--epochs", "0", "--variant", variant],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    ended = time.time()
    with open_instance(store / ".dagster") as instance:
        (run,) = instance.get_run_records(limit=1)
        logs = instance.all_logs(run.dagster_run.run_id)
        first_cell = next(entry.timestamp for entry in logs if "cells to compute or record" in entry.message)
        created = run.create_timestamp.timestamp()
    return {
        "`tdw fill`: process start to run": created - started,
        "`tdw fill`: run to its first cell": first_cell - created,
        "`tdw fill`: all of one cell": ended - started,
    }


def event_cost(root: Path, *, count: int = 1000) -> dict[str, float]:
    """Milliseconds an event, in batches as the ops write them."""
    from dagster._core.events import (
        AssetMaterializationPlannedData,
        DagsterEvent,
        DagsterEventBatchMetadata,
        generate_event_batch_id,
    )

    with open_instance(root / "events" / ".dagster") as instance:
        run = instance.create_run_for_job(dg.job(name="nothing")(lambda: None))
        start = time.perf_counter()
        for first in range(0, count, events.BATCH_CELLS):
            batch = generate_event_batch_id()
            for at in range(first, first + events.BATCH_CELLS):
                event = DagsterEvent.build_asset_materialization_planned_event(
                    "nothing", "step", AssetMaterializationPlannedData(dg.AssetKey("a"), partition=str(at))
                )
                last = at == first + events.BATCH_CELLS - 1
                instance.report_dagster_event(
                    event, run.run_id, batch_metadata=DagsterEventBatchMetadata(batch, last)
                )
        return {"one event, milliseconds": (time.perf_counter() - start) / count * 1000}


def report(options, study: Study, taken: dict[str, list[Clock]], others: dict[str, float]) -> None:
    """The table: both sides, their ratio, and what a run costs before its first cell."""
    cells = len(ANALYZERS) * len(study.epoch_list)
    rows: list[common.Row] = []
    for name, label in (("library", "library alone"), ("run", "one Dagster run, to its last event")):
        for kind in ("wall", "cpu"):
            seconds = [getattr(clock, kind) for clock in taken[name]]
            rows.append(_row(f"{cells} cells, {label}, {kind} s", statistics.median(seconds)))
    for kind, target in (("wall", "at most 1.10"), ("cpu", "")):
        total = {n: sum(getattr(clock, kind) for clock in clocks) for n, clocks in taken.items()}
        rows.append(_row(f"ratio, {kind}", total["run"] / total["library"], target))
    rows.append(_row("run: last event to its end, s", statistics.median(c.after for c in taken["run"])))
    rows += [_row(name if "milli" in name else f"{name}, s", seconds) for name, seconds in others.items()]
    notes = (
        f"p={options.p}, {len(study.epoch_list)} checkpoints, {len(ANALYZERS)} analyzers, one thread, "
        f"{options.rounds} rounds in turn. The run writes two events per cell."
    )
    environment = common.machine(["dagster", "torch", "numpy", "numba"])
    common.report("Orchestration", rows, environment=environment, json_path=options.json, notes=notes)


def _row(what: str, measured: float, target: str = "") -> common.Row:
    return {"what": what, "measured": measured, "target": target}


if __name__ == "__main__":
    main()
