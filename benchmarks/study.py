"""How fast the study's own parts are: progress measures, relabelling control, report, export and import.

A few checkpoints are measured, and the time for 95 is 95 times the mean. The weights are those of the first
epochs: no analysis here is faster or slower for others.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import common

from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.analyzers import ANALYZERS, relabelling
from tdw.families.zp_fourier import spectra
from tdw.making.artifacts import analyze
from tdw.making.on_demand import file_with_arrays
from tdw.making.tables import summarize
from tdw.recipes.reading.variant_tables import tables_of
from tdw.reports.study_report import study_report
from tdw.store import Address, Store
from tdw.study import load_study
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
SCHEDULED = 95
MEASURES = "progress_measures"


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--checkpoints", type=int, default=3)
    options = parser.parse_args()
    config = FAMILY.make_config(p=113, seed=999)
    epochs = list(range(options.checkpoints))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        for _ in train(config, store=store, checkpoints=epochs, device="cpu"):
            pass
        rows = [
            *analysis(store, config, epochs, options.rounds),
            *control(store, config, epochs, options.rounds),
            *maps_on_demand(store, config, epochs, options.rounds),
            *report(store, config, options.rounds),
            *bundle(store, config, Path(folder)),
        ]
    environment = common.machine(["torch", "numpy", "numba", "matplotlib"])
    notes = "One thread, CPU time; p=113, 512 neurons. Export and import: wall time with checksums and fsync."
    common.report("Study", rows, environment=environment, json_path=options.json, notes=notes)


def row(what: str, value: float, unit: str, *, target: str = "") -> common.Row:
    """A line of the table."""
    return {"what": what, "measured": value, "unit": unit, "target": target}


def analysis(store: Store, config: Any, epochs: list[int], rounds: int) -> list[common.Row]:
    names = [analyzer.name for analyzer in ANALYZERS]
    without = [name for name in names if name != MEASURES]
    found = common.interleaved(
        {
            "all": partial(run, store, config, names, epochs),
            "without": partial(run, store, config, without, epochs),
        },
        rounds=rounds,
    )
    both, others = found["all"].best, found["without"].best
    return [
        row("analysis of a checkpoint without progress measures", others, "s"),
        row("progress measures add", both - others, "s"),
        row("progress measures add", 100 * (both / others - 1), "%", target="at most 60"),
    ]


def run(store: Store, config: Any, names: list[str], epochs: list[int]) -> int:
    for result in analyze(store, FAMILY, config, dict.fromkeys(names, epochs), device="cpu"):
        if result.error:
            raise result.error
    return len(epochs)


def control(store: Store, config: Any, epochs: list[int], rounds: int) -> list[common.Row]:
    def from_stored_maps() -> int:
        for epoch in epochs:
            artifact = store.read(Address(FAMILY.name, config.key, "neuron_activations", epoch))
            relabelling.control(spectra(artifact.arrays["neuron_activations"]))
        return len(epochs)

    def from_artifacts() -> int:
        summarize(store, FAMILY, config, relabelling.NAME)
        return len(epochs)

    found = common.interleaved({"maps": from_stored_maps, "artifacts": from_artifacts}, rounds=rounds)
    what = f"relabelling control of {SCHEDULED} checkpoints"
    maps, artifacts = (found[name].best * SCHEDULED for name in ("maps", "artifacts"))
    return [
        row(f"{what}, from stored maps", maps, "s", target="10"),
        row(f"{what}, from artifacts", artifacts, "s", target="10"),
    ]


def maps_on_demand(store: Store, config: Any, epochs: list[int], rounds: int) -> list[common.Row]:
    """All maps of a checkpoint: read from their file, or computed again by one forward pass."""
    addresses = [Address(FAMILY.name, config.key, "neuron_activations", epoch) for epoch in epochs]
    whole = store.path(addresses[0]).stat().st_size
    later = Store(store.root.parent / "later")
    shutil.copytree(store.root, later.root)
    for address in addresses:
        later.drop_arrays(address)

    def read() -> int:
        for address in addresses:
            store.read(address)
        return len(addresses)

    def compute() -> int:
        for address in addresses:
            file_with_arrays(later, address, later.read_kept(address))
        return len(addresses)

    found = common.interleaved({"read": read, "compute": compute}, rounds=rounds)
    return [
        row("neuron maps of a checkpoint, kept: file", whole / 1e6, "MB"),
        row(
            "neuron maps of a checkpoint, on demand: file",
            later.path(addresses[0]).stat().st_size / 1e6,
            "MB",
        ),
        row("neuron maps of a checkpoint, kept: read", found["read"].best, "s"),
        row("neuron maps of a checkpoint, on demand: computed, checked", found["compute"].best, "s"),
    ]


def report(store: Store, config: Any, rounds: int) -> list[common.Row]:
    for name in tables_of(FAMILY):
        summarize(store, FAMILY, config, name)
    study = load_study(Path(__file__).parents[1] / "studies" / "eight_models")
    # The fifteen claims of the study, on eight variants of which one has tables.
    configs = [config, *(other for other in study.configs if other.key != config.key)][:8]

    def make() -> int:
        study_report(store, FAMILY, configs, study=study)
        return 1

    found = common.interleaved({"report": make}, rounds=rounds)
    return [row("study report from ready summaries", found["report"].best, "s", target="20")]


def bundle(store: Store, config: Any, folder: Path) -> list[common.Row]:
    file = folder / "b.tdw.tar"
    before = common.peak_rss_mb()
    out = wall(lambda: export_bundle(store, FAMILY, [config.key], file))
    back = wall(lambda: import_bundle(Store(folder / "there"), file))
    size = file.stat().st_size / 1e6
    return [
        row("export", size / out, "MB/s"),
        row("import, everything verified", size / back, "MB/s"),
        row(f"peak memory that export and import of {size:.0f} MB add", common.peak_rss_mb() - before, "MB"),
    ]


def wall(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
