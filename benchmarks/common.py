"""What every benchmark shares: one thread, CPU time, interleaved rounds, machine and versions, tables, JSON.

Import this before torch: it limits the threads.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

Row = Mapping[str, str | float | None]


@dataclass(frozen=True)
class Timing:
    """CPU seconds of one thread for one unit of work, over rounds."""

    median: float
    best: float
    worst: float


def parser(description: str | None) -> argparse.ArgumentParser:
    """Command line of a benchmark: `--json FILE` ("-" for standard output), `--rounds N`, `--before FILE`."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--json", metavar="FILE", help='also write the result as JSON; "-" prints it instead')
    made.add_argument("--rounds", type=int, default=5, help="how often everything is measured")
    made.add_argument("--before", type=Path, help="JSON of an earlier version, whose numbers stand beside")
    return made


def interleaved(
    contestants: Mapping[str, Callable[[], int]], *, rounds: int, warm_up: int = 1
) -> dict[str, Timing]:
    """Measure all contestants in turn, round after round, so that a noisy neighbor disturbs them alike.

    Args:
        contestants: by name; each does some units of work and returns how many.
        rounds: measured rounds.
        warm_up: rounds before that are not measured.
    """
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(warm_up + rounds):
        for name, work in contestants.items():
            start = time.process_time()
            units = work()
            seconds = (time.process_time() - start) / units
            if turn >= warm_up:
                taken[name].append(seconds)
    return {name: Timing(statistics.median(times), min(times), max(times)) for name, times in taken.items()}


def machine(packages: Sequence[str]) -> dict[str, str]:
    """Processor, cores, memory, Python and the versions of `packages`."""
    cpu = platform.processor() or platform.machine()
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    found = {
        "cpu": cpu,
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "python": platform.python_version(),
    }
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "-"
    return found


def peak_rss_mb() -> float:
    """Largest resident memory of this process so far, in MB (10⁶ bytes).

    From /proc: `getrusage` would count what the parent held before it started this process.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("/proc/self/status has no VmHWM")


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table; the first row's keys are the columns."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(row.get(name)) for name in columns) + " |" for row in rows]
    return "\n".join(lines)


def beside(rows: Sequence[Row], before: Path | None, columns: Sequence[str]) -> list[Row]:
    """Rows with the numbers of an earlier version in front of those of `columns`, by what a row is about."""
    if before is None:
        return list(rows)
    earlier = {row["what"]: row for row in json.loads(before.read_text())["rows"]}
    found: list[Row] = []
    for row in rows:
        both: dict[str, str | float | None] = {}
        for name, value in row.items():
            if name in columns and any(name in other for other in earlier.values()):
                both[f"{name}, before"] = earlier.get(row["what"], {}).get(name)
            both[name] = value
        found.append(both)
    return found


def report(
    title: str, rows: Sequence[Row], *, environment: Mapping[str, str], json_path: str | None, notes: str = ""
) -> None:
    """Print the table with machine and versions, and write the JSON that is asked for."""
    result = {
        "title": title,
        "environment": dict(environment),
        "rows": [dict(row) for row in rows],
        "notes": notes,
    }
    if json_path == "-":
        json.dump(result, sys.stdout, indent=1)
        print()
        return
    print(f"## {title}\n\n{markdown(rows)}\n")
    print(", ".join(f"{name} {value}" for name, value in environment.items()))
    if notes:
        print(f"\n{notes}")
    if json_path:
        Path(json_path).write_text(json.dumps(result, indent=1) + "\n")


def timing_row(name: str, timing: Timing) -> dict[str, float | str]:
    """A row with a timing's numbers, in seconds."""
    return {"what": name, **asdict(timing)}


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
