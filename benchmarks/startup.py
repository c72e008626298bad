"""What it costs to begin: loading the code location, and a run before its first cell.

python benchmarks/startup.py [--json FILE] [--before FILE]
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import common

STUDY = """\
name: startup
variants: [{p: 7, seed: 1, train_fraction: 0.5}]
epochs: 20
checkpoints: [0, 20]
"""
LOAD = "import tdw_assets.definitions, sys; assert 'torch' not in sys.modules"
FIRST_CELL = """
import sys
from pathlib import Path
import dagster as dg
home = sys.argv[1]
with dg.DagsterInstance.from_config(home) as instance:
    for job in ("train", "analyze"):
        run = instance.get_run_records(dg.RunsFilter(job_name=f"startup_{job}"), limit=1)[0]
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        events = instance.get_records_for_run(run.dagster_run.run_id, of_type=kind).records
        print(job, min(e.event_log_entry.timestamp for e in events) - run.start_time)
"""


def main() -> None:
    options = common.parser(__doc__).parse_args()
    loads = [_cpu_seconds([sys.executable, "-c", LOAD]) for _ in range(options.rounds)]
    rows: list[common.Row] = [_row("CPU: load the code location, in a new process", loads, target=3.0)]
    fills: list[float] = []
    first: dict[str, list[float]] = {"train": [], "analyze": []}
    for _ in range(max(1, options.rounds // 2)):
        with tempfile.TemporaryDirectory() as folder:
            study, store = Path(folder) / "startup.yaml", Path(folder) / "store"
            study.write_text(STUDY)
            tdw = [sys.executable, "-m", "tdw_workbench.cli", "fill", "--assets", "coarseness"]
            fills.append(_cpu_seconds([*tdw, "--study", str(study), "--store", str(store)]))
            told = subprocess.run(
                [sys.executable, "-c", FIRST_CELL, str(store / ".dagster")],
                env=_environment(store),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for line in told.splitlines():
                job, seconds = line.split()
                first[job].append(float(seconds))
    rows.append(_row("CPU: `tdw fill` of one tiny variant, 2 checkpoints, 1 analyzer, all in all", fills))
    for job, times in first.items():
        rows.append(_row(f"wall: a run of `{job}`, from its start to its first cell", times))
    common.report(
        "Starting",
        common.beside(rows, options.before, ["median s"]),
        environment=common.machine(["dagster", "torch"]),
        json_path=options.json,
        notes="On a shared machine. The first run of a worker imports torch and compiles the kernels.",
    )


def _environment(store: Path) -> dict[str, str]:
    return {**os.environ, "DAGSTER_HOME": str(store / ".dagster")}


def _cpu_seconds(command: Sequence[str]) -> float:
    """CPU time of a process and its children; the wall time of a shared machine says little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, cwd=Path(__file__).parents[1])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _row(what: str, times: Sequence[float], *, target: float | None = None) -> common.Row:
    return {
        "what": what,
        "median s": statistics.median(times),
        "best": min(times),
        "worst": max(times),
        "target": target,
    }


if __name__ == "__main__":
    main()
