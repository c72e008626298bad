"""The quick start from `tdw up` to its last plot: when the first loss is there, and what takes CPU time.

python benchmarks/quickstart.py [--json FILE] [--study FILE] [--before FILE]
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import common
import psutil

from tdw.store.layout import LIVE
from tdw_resources.instance import open_instance
from tdw_resources.runs.liveness import WORKER_TAG
from tdw_workbench.servers.ports import free_port

EVERY_S = 0.1
Readings = list[tuple[float, float]]
"""When, and CPU seconds so far."""
STAGES = ("train", "analyze", "summarize", "compare")
SERVERS = {
    "tdw code server": "code server",
    "tdw daemon": "daemon",
    "tdw webserver": "webserver",
    "tdw_workbench.cli": "tdw up",
}
"""Part of a process's name and command line -> what it is."""


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--study", default=str(Path(__file__).parents[1] / "studies" / "quickstart"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, log = Path(folder) / "store", Path(folder) / "up.log"
        start, times, cpu = carry_out(Path(options.study).resolve(), store, log)
        stages, at_work, last = look_at_runs(store / ".dagster")
    times["last plot"] = last - start
    times["of that, a run was at work"] = at_work
    shares: dict[str, float] = defaultdict(float)
    for worker, (name, readings) in cpu.items():
        until = [seconds for at, seconds in readings if at <= last]  # not the check that may come after
        shares[stages.get(worker, name)] += until[-1] if until else 0.0
    rows: list[common.Row] = [
        {"what": f"wall: {what}", "s": seconds, "share of CPU time, %": None}
        for what, seconds in times.items()
    ]
    whole = sum(shares.values())
    for name, seconds in sorted(shares.items(), key=lambda share: -share[1]):
        rows.append({"what": f"CPU: {name}", "s": seconds, "share of CPU time, %": 100 * seconds / whole})
    after = sum(shares[f"runs that {stage}"] for stage in STAGES[1:])
    for name, seconds in (
        ("all in all", whole),
        ("all that is not training", whole - shares["runs that train"]),
        ("of that, runs that analyze, summarize and compare", after),
    ):
        rows.append({"what": f"CPU: {name}", "s": seconds, "share of CPU time, %": 100 * seconds / whole})
    common.report(
        "Quick start",
        common.beside(rows, options.before, ["s"]),
        environment=common.machine(["dagster", "torch"]),
        json_path=options.json,
        notes="On a shared machine, once. A run's share has what its process imported itself.",
    )


def carry_out(
    study: Path, store: Path, log: Path
) -> tuple[float, dict[str, float], dict[str, tuple[str, Readings]]]:
    """When it was started, wall seconds to the first loss, and per process its name and CPU seconds."""
    start, times = time.time(), dict[str, float]()
    cpu: dict[str, tuple[str, Readings]] = {}
    with up(study, store, log) as process:
        while "The study is complete" not in log.read_text():
            if process.poll() is not None:
                raise RuntimeError(f"`tdw up` ended:\n{log.read_text()[-2000:]}")
            if "first loss" not in times and any(store.glob(f"{LIVE}/*/*.npz")):
                times["first loss"] = time.time() - start
            look(process.pid, cpu)
            time.sleep(EVERY_S)
        look(process.pid, cpu)
    return start, times, cpu


@contextmanager
def up(study: Path, store: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A new workbench, stopped on leaving."""
    command = [sys.executable, "-m", "tdw_workbench.cli", "up", "--study", str(study), "--store", str(store)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(free_port())], stdout=output, stderr=output, cwd=store.parent
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def look(pid: int, cpu: dict[str, tuple[str, Readings]]) -> None:
    """Note the CPU time that each process below `pid` has used so far, by its identity."""
    with suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                used, line = process.cpu_times(), " ".join([process.name(), *process.cmdline()])
                name = next((found for part, found in SERVERS.items() if part in line), "")
                name = name or (
                    "code server" if "api grpc" in line else "processes that runs are forks of, or others"
                )
                worker = f"{process.pid}/{process.create_time():.2f}"
                _, readings = cpu.get(worker, ("", []))
                readings.append((time.time(), used.user + used.system))
                cpu[worker] = name, readings  # a process that was just forked still has its parent's name


def look_at_runs(home: Path) -> tuple[dict[str, str], float, float]:
    """Which stage each process was about; how long a run was at work, and when the last ended; no checks."""
    os.environ["DAGSTER_HOME"] = str(home)
    found: dict[str, str] = {}
    at_work = until = last = 0.0
    with open_instance(home) as instance:
        for record in sorted(instance.get_run_records(), key=lambda record: record.start_time or 0.0):
            run, start, end = record.dagster_run, record.start_time, record.end_time
            stage = next((stage for stage in STAGES if run.job_name.endswith(f"_{stage}")), "")
            worker = run.tags.get(WORKER_TAG, "").partition("/")[2]
            if stage:
                found[worker] = f"runs that {stage}"
            if start and end and stage:
                last = max(last, end)
                at_work += max(0.0, end - max(start, until))
                until = max(until, end)
    return found, at_work, last


if __name__ == "__main__":
    main()
