"""How the workbench looks at a large study: 100, 300 and 1,000 variants x 100 epochs, all there.

The events are real ones, written once by Dagster for each asset and copied row by row for every cell; the
files are names without content. Then what looks at all of it is timed: the gaps, the state that `tdw status`
prints, the sensor's first look and its ticks when nothing changed and when one variant did, the first page,
and what the UI asks for. CPU time, of the server where one is asked; the exponent is that of a power of the
number of variants between the smallest and the largest size.
"""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import common
import dagster as dg
import psutil
import yaml
from parts.recorded_study import make_cells, make_derived

from tdw.reconcile.seen import Seen
from tdw.store import Address, Store
from tdw.study import load_study
from tdw_assets.automation.sensor import look
from tdw_assets.cells.partitions import register_variants
from tdw_assets.status import read_status
from tdw_resources.events.records import inventory_of
from tdw_resources.instance import open_instance
from tdw_resources.places import find_places
from tdw_resources.sensor_cursor import keep
from tdw_resources.wanted import WantedAssets

ANALYZERS = ("attention_patterns", "dominant_frequencies", "coarseness", "coarseness_stats")
_QUERY = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetPartitionStatuses { ... on MultiPartitionStatuses { primaryDimensionName ranges { primaryDimStartKey
    secondaryDim { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions }
                   ... on TimePartitionStatuses { ranges { startKey endKey status } } } } } } } } }
"""


def main() -> None:
    parser = common.parser(__doc__)
    parser.set_defaults(rounds=3)
    parser.add_argument("--sizes", default="100,300,1000", help="numbers of variants, by commas")
    parser.add_argument("--epochs", type=int, default=100, help="checkpoints of each")
    options = parser.parse_args()
    measured: dict[int, dict[str, float]] = {}
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            measured[size] = measure(Path(folder), size, epochs=options.epochs, rounds=options.rounds)
    report(options, measured)


def measure(root: Path, size: int, *, epochs: int, rounds: int) -> dict[str, float]:
    """What was measured, by name, of a study of `size` variants."""
    study_file = root / "study.yaml"
    values = {
        "name": "scale",
        "variants": [f"p113_s{seed}_d598" for seed in range(1, size + 1)],
        "epochs": epochs,
        "checkpoints": [f"1:{epochs}:1"],
        "analyzers": list(ANALYZERS),
    }
    study_file.write_text(yaml.safe_dump(values))
    places = find_places(str(root / "store"), study=study_file)
    wanted, store = WantedAssets.of(load_study(study_file)), Store(places.store)
    with open_instance(places.home) as instance:
        register_variants(wanted, instance, wanted.variants)
        make_cells(wanted, instance, store, places.home)
        make_derived(wanted, instance, store, places.home)
        found = {
            "gaps of all variants, s": _timed(lambda: inventory_of(wanted, instance, store).gaps(), rounds),
            "gaps of one variant, s": _timed(
                lambda: inventory_of(wanted, instance, store).gaps(wanted.variants[:1]), rounds
            ),
            "`tdw status`, its state, s": _timed(lambda: read_status(wanted, instance, store), rounds),
        }
        found |= time_ticks(wanted, instance, store, rounds)
    return found | time_ui(places.environment(), wanted, rounds)


def time_ticks(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, rounds: int
) -> dict[str, float]:
    """Ticks: when nothing changed, when a variant lost a file, and the first, which look at everything."""
    seen, first, ticks = Seen(), [], 0
    while not ticks or seen.queue:
        start = time.process_time()
        result = look(wanted, instance, store, seen)
        first.append(time.process_time() - start)
        seen, ticks = result.seen, ticks + 1
    while not result.notes:  # what covers all variants, and the checks, come last
        stages = [task.stage for task, _ in result.tasks]
        assert stages in ([], ["check"]), f"nothing is missing: {result.tasks}"
        result = look(wanted, instance, store, seen)
        seen = result.seen
    quiet = _timed(lambda: look(wanted, instance, store, seen), rounds)
    changed: list[float] = []
    for at in range(rounds):
        store.delete(Address(wanted.family.name, wanted.variants[at], "coarseness", wanted.epochs[at]))
        start = time.process_time()
        result = look(wanted, instance, store, seen)
        changed.append(time.process_time() - start)
        assert [(task.stage, task.size) for task, _ in result.tasks] == [("analyze", 1)], result
        store.path(Address(wanted.family.name, wanted.variants[at], "coarseness", wanted.epochs[at])).touch()
        for _ in range(3):
            seen = look(wanted, instance, store, seen).seen
    return {
        "tick, nothing changed, s": quiet,
        "tick, one variant changed, s": statistics.median(changed),
        "first look, s": sum(first),
        "first look, ticks of 5 s": ticks,
        "the sensor's cursor, kB": len(keep(seen.dump(), instance, wanted.slug)) / 1e3,
    }


def time_ui(environment: dict[str, str], wanted: WantedAssets, rounds: int) -> dict[str, float]:
    """CPU of a running webserver for its first page, and for the state of every partition of an asset."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tdw_workbench.web", "-h", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(
        [*command, "-m", "tdw_assets.definitions"],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    body = json.dumps({"query": _QUERY, "variables": {"key": {"path": list(wanted.key("coarseness").path)}}})

    def ask() -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql", body.encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            found = json.load(answer)
        assert found["data"]["assetNodeOrError"]["assetPartitionStatuses"]["ranges"], found

    def first_page() -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/tdw/", timeout=300) as answer:
            size.append(len(answer.read()) / 1e6)

    size: list[float] = []
    process = psutil.Process(server.pid)

    def cpu(work: Callable[[], None], rounds: int = 1) -> float:
        """Median CPU seconds of the server and what it started."""
        taken: list[float] = []
        for _ in range(rounds):
            before = _cpu_of(process)
            work()
            taken.append(_cpu_of(process) - before)
        return statistics.median(taken)

    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        return {
            "first page, first time, s": cpu(first_page),
            "first page, again, s": cpu(first_page, rounds),
            "first page, MB": size[-1],
            "UI, state of all partitions, first time, s": cpu(ask),
            "UI, again, s": cpu(ask, rounds),
        }
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _timed(work: Callable[[], object], rounds: int) -> float:
    """Median CPU seconds of this process."""
    taken: list[float] = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process and those below it, so far."""
    family = [process, *process.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)


TARGETS = {
    "`tdw status`, its state, s": 10,
    "tick, nothing changed, s": 2,
    "tick, one variant changed, s": 2,
    "first look, ticks of 5 s": 12,
    "the sensor's cursor, kB": 2,
    "first page, again, s": 0.6,
}


def report(options, measured: dict[int, dict[str, float]]) -> None:
    """A row for each thing, a column for each size, and how it grows."""
    sizes = list(measured)
    rows: list[common.Row] = []
    for name in measured[sizes[0]]:
        found = {size: of[name] for size, of in measured.items()}
        row: dict[str, str | float | None] = {"what": name}
        row |= {f"{size:,} variants": value for size, value in found.items()}
        low, high = found[sizes[0]], found[sizes[-1]]
        # What is too fast for the clock says nothing of how it grows.
        grows = len(sizes) > 1 and low > 0.05
        row["exponent"] = math.log(high / low) / math.log(sizes[-1] / sizes[0]) if grows else None
        rows.append(row | {"target": TARGETS.get(name)})
    notes = (
        f"{options.epochs:,} epochs, checkpoints and {len(ANALYZERS)} analyzers: "
        f"{max(measured) * options.epochs:,} cells per asset at the largest size. CPU seconds, median of "
        f"{options.rounds}; exponents at most 1.05 are wanted."
    )
    rows = common.beside(rows, options.before, [f"{size:,} variants" for size in sizes])
    environment = common.machine(["dagster"])
    common.report("Scale", rows, environment=environment, json_path=options.json, notes=notes)


if __name__ == "__main__":
    main()
