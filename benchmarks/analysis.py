"""CPU seconds and bytes of analyzing one checkpoint with A3-A9, beside doing it straightforwardly.

Both sides run in one process, on one thread, on the same checkpoints of p = 113, and write what they compute:

- straightforward: TransformerLens' `run_with_cache` on the probe, then each array from its definition with
  numpy.fft a map and torch, and `np.savez_compressed` an analyzer;
- tdw: `tdw.making.artifacts.analyze`, checkpoint read and artifacts committed, fsync included.

Then what the later analyses (A14-A19, A22, heads and scale profiles) add to those before them (A3-A10, A12),
and to A3-A9 alone: both sides in turn, round after round. They share forward pass, transform and logits.

    python benchmarks/analysis.py [--json FILE] [--epochs 200]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common  # first: it limits the threads
from parts.straightforward import straightforward

from tdw.families import get_family
from tdw.making.artifacts import CellResult, analyze
from tdw.store import Address, Store

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.make_config(p=113, seed=999)
ANALYZERS = (
    "neuron_activations",
    "attention_patterns",
    "dominant_frequencies",
    "neuron_frequencies",
    "downsampled_activations",
    "coarseness",
    "coarseness_stats",
)
FORMER = (*ANALYZERS, "progress_measures", "relabelling")
FURTHER = ("weight_spectra", "answers", "site_geometry", "scale_profiles", "head_composition")


def measure(*, epochs: int = 200, repeats: int = 3) -> dict[str, Any]:
    """Train a little, then analyze the first, middle and last checkpoint both ways, the best of `repeats`.

    Args:
        epochs: trained before measuring, so that the maps are not those of the initialization only.
        repeats: of each measurement; the minimum is the least disturbed.
    """
    import torch

    from tdw.training.loop import train

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        schedule = tuple(sorted({0, epochs // 2, epochs}))
        list(train(CONFIG, store=store, checkpoints=schedule, device="cpu", test_every=max(1, epochs)))
        ours = _cpu_seconds(lambda: _analyze(store, schedule), repeats) / len(schedule)
        parts = _parts(store, schedule)
        plain_folder = Path(folder) / "plain"
        plain_folder.mkdir()
        plain: dict[str, float] = {}
        for epoch in schedule:
            weights = _weights(store, epoch)
            bridge = FAMILY.to_transformer_lens(CONFIG, weights)
            for name, seconds in straightforward(bridge, weights, plain_folder, p=CONFIG.p).items():
                plain[name] = plain.get(name, 0.0) + seconds / len(schedule)
        sizes = _sizes(store, ANALYZERS, epochs)
        peak = _peak_memory(folder, schedule)
        further = _further(store, schedule, repeats)
        sizes |= _sizes(store, FURTHER, epochs)
    return {
        "tdw_cpu_s": ours,
        "straightforward_cpu_s": sum(plain.values()),
        "ratio": ours / sum(plain.values()),
        "tdw_parts_wall_s": parts,
        "straightforward_parts_cpu_s": plain,
        "bytes": sizes,
        "total_bytes": sum(sizes[name] for name in ANALYZERS),
        "further": further,
        "further_bytes": sum(sizes[name] for name in FURTHER),
        "peak_rss_mb": peak,
    }


def _analyze(store: Store, epochs: tuple[int, ...], names: tuple[str, ...] = ANALYZERS) -> list[CellResult]:
    results = list(analyze(store, FAMILY, CONFIG, dict.fromkeys(names, epochs), device="cpu"))
    for result in results:
        if result.error is not None:
            raise result.error
    return results


def _parts(store: Store, epochs: tuple[int, ...], names: tuple[str, ...] = ANALYZERS) -> dict[str, float]:
    """Wall seconds by analyzer; the first one carries the forward pass."""
    parts: dict[str, float] = {}
    for result in _analyze(store, epochs, names):
        parts[result.analyzer] = parts.get(result.analyzer, 0.0) + result.seconds / len(epochs)
    return parts


def _further(store: Store, epochs: tuple[int, ...], repeats: int) -> dict[str, Any]:
    """What the later analyses add, as shares, and wall seconds of each beside the others."""

    def of(names: tuple[str, ...]) -> Callable[[], int]:
        return lambda: len(_analyze(store, epochs, names)) // len(names)

    found = common.interleaved(
        {
            "A3-A9": of(ANALYZERS),
            "A3-A9 and further": of((*ANALYZERS, *FURTHER)),
            "former": of(FORMER),
            "all": of((*FORMER, *FURTHER)),
        },
        rounds=repeats,
    )
    best = {name: timing.best for name, timing in found.items()}
    parts = _parts(store, epochs, (*FORMER, *FURTHER))
    return {
        "of_former": best["all"] / best["former"] - 1,
        "of_first": best["A3-A9 and further"] / best["A3-A9"] - 1,
        "parts_wall_s": {name: parts[name] for name in FURTHER},
    }


def _sizes(store: Store, names: tuple[str, ...], epoch: int) -> dict[str, int]:
    return {name: store.path(Address(FAMILY.name, CONFIG.key, name, epoch)).stat().st_size for name in names}


def _cpu_seconds(function: Callable[[], Any], repeats: int) -> float:
    function()
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        function()
        best = min(best, time.process_time() - started)
    return best


def _weights(store: Store, epoch: int) -> dict[str, Any]:
    import torch

    arrays = store.read(Address(FAMILY.name, CONFIG.key, "checkpoints", epoch)).arrays
    return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}


def _peak_memory(folder: str, epochs: tuple[int, ...]) -> float:
    """Peak resident MB of a process that does nothing but analyze."""
    code = (
        "import sys, analysis, common; from tdw.store import Store;"
        "analysis._analyze(Store(sys.argv[1] + '/store'), tuple(map(int, sys.argv[2:])));"
        "print(common.peak_rss_mb())"
    )
    command = [sys.executable, "-c", code, folder, *map(str, epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    return float(done.stdout)


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=200, help="trained before measuring")
    options = parser.parse_args()
    found = measure(epochs=options.epochs, repeats=options.rounds)
    further = found["further"]
    plain, sizes = found["straightforward_parts_cpu_s"], found["bytes"]
    ours = found["tdw_parts_wall_s"] | further["parts_wall_s"]
    rows: list[common.Row] = [
        {
            "analysis of a checkpoint, p=113": name,
            "straightforward, CPU s": plain.get(name),
            "tdw, wall s": ours.get(name),
            "tdw, MB": sizes[name] / 1e6 if name in sizes else None,
        }
        for name in dict.fromkeys([*plain, *ours])
    ]
    ratio = found["ratio"]
    common.report(
        "Analysis",
        rows,
        environment=common.machine(["torch", "numba", "numpy", "transformer-lens", "safetensors"]),
        json_path=options.json,
        notes="All of A3-A9 with artifacts written, CPU seconds of one thread per checkpoint: "
        f"straightforward {found['straightforward_cpu_s']:.2f}, tdw {found['tdw_cpu_s']:.3f}, "
        f"ratio {ratio:.3f} (target: at most 0.167). "
        f"{found['total_bytes'] / 1e6:.2f} MB per checkpoint (target: at most 8). "
        f"Peak memory: {found['peak_rss_mb']:.0f} MB (target: at most 1200). The first one carries the "
        "forward pass. The later analyses (A14-A19, A22, heads, scale profiles; the last five rows) add "
        f"{further['of_former']:.2f} of the CPU time of those before (A3-A10, A12; target: at most 0.6), "
        f"{further['of_first']:.2f} of that of A3-A9, and {found['further_bytes'] / 1e6:.2f} MB "
        "(target: at most 1).",
    )


if __name__ == "__main__":
    main()
