"""The bytes of a variant: what they are, and what fewer replay states would save and cost.

A study of one variant is filled, with as many checkpoints and replay states as the default has. They are of
the first epochs, which takes a minute in place of a quarter of an hour: the files have the same sizes.

python benchmarks/disk.py [--json FILE] [--p P] [--checkpoints N]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import common

from tdw.families import get_family
from tdw.store import Store
from tdw.store.layout import CHECKPOINTS, STATES
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
EPOCHS, EVERY = 25_000, 1_000
TOLD = 8
"""So many kinds of files stand alone, the largest; the others in one row."""
STUDY = """\
name: disk
variants: [{{p: {p}, seed: 999}}]
epochs: {last}
checkpoints: ["0:{last}"]
early_epoch: {last}
training: {{state_every: {state_every}}}
"""


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--p", type=int, default=113)
    parser.add_argument("--checkpoints", type=int, default=95)
    options = parser.parse_args()
    last = options.checkpoints - 1
    with tempfile.TemporaryDirectory() as folder:
        study, store = Path(folder) / "disk.yaml", Path(folder) / "store"
        state_every = max(1, -(-last * EVERY // EPOCHS))
        study.write_text(STUDY.format(p=options.p, last=last, state_every=state_every))
        command = [sys.executable, "-m", "tdw_workbench.cli", "fill", "--yes"]
        subprocess.run(
            [*command, "--study", str(study), "--store", str(store)], check=True, capture_output=True
        )
        kinds = sizes(store)
        states = list((store / FAMILY.name).glob(f"*/{STATES}/*.safetensors"))
        state_mb = sum(path.stat().st_size for path in states) / len(states) / 1e6
        epoch_s = seconds_per_epoch(options.p, Store(Path(folder) / "other"))
    rows = [*_of_kinds(kinds), *_of_keeping(kinds, options.checkpoints), *_of_states(state_mb, epoch_s)]
    common.report(
        "Disk",
        rows,
        environment=common.machine(["dagster", "torch"]),
        json_path=options.json,
        notes=f"p={options.p}, {options.checkpoints} checkpoints, {len(states)} replay states, all that is "
        f"on by default; an epoch takes {1e3 * epoch_s:.0f} ms. Who densifies checkpoints asks for epochs "
        "between them: a replay begins at the state before it.",
    )


def sizes(store: Path) -> dict[str, float]:
    """Kind of files -> MB."""
    found: Counter[str] = Counter()
    for path in store.rglob("*"):
        if not path.is_file():
            continue
        parts = path.relative_to(store).parts
        if parts[0] == ".dagster":
            kind = "Dagster's event log and all else of its home"
        elif parts[1].startswith("_"):
            kind = "what covers all variants"
        else:
            kind = {CHECKPOINTS: "checkpoints", STATES: "replay states"}.get(parts[2], parts[2])
        found[kind] += path.stat().st_size / 1e6
    return dict(found.most_common())


def seconds_per_epoch(p: int, store: Store) -> float:
    """CPU time of training, without what the first epochs cost alone."""
    config = FAMILY.make_config(p=p, seed=1)
    times: list[float] = []
    for _ in train(config, store=store, checkpoints=[0, 5, 105], device="cpu"):
        times.append(time.process_time())
    return (times[-1] - times[-2]) / 100


def _of_kinds(kinds: dict[str, float]) -> list[common.Row]:
    whole, largest = sum(kinds.values()), list(kinds)[:TOLD]
    told = {kind: kinds[kind] for kind in largest}
    told["all other artifacts, tables and figures"] = whole - sum(told.values())
    told["all in all"] = whole
    return [
        {
            "what": kind,
            "MB": mb,
            "share, %": 100 * mb / whole,
            "seconds of a replay, mean": None,
            "longest": None,
        }
        for kind, mb in told.items()
    ]


def _of_keeping(kinds: dict[str, float], checkpoints: int) -> list[common.Row]:
    """What a study's `keep` leaves; a file that stands for arrays on demand has less than a kilobyte."""
    whole, maps = sum(kinds.values()), kinds["neuron_activations"]
    fifths = len({*range(0, checkpoints, 5), checkpoints - 1})
    beside = sum(kinds[name] for name in ("downsampled_activations", "attention_patterns"))
    left = {
        "every fifth": whole - maps * (1 - fifths / checkpoints),
        "on demand": whole - maps,
        "on demand, small maps and attention too": whole - maps - beside,
    }
    return [
        {
            "what": f"all in all, neuron maps {how}",
            "MB": mb,
            "share, %": 100 * mb / whole,
            "seconds of a replay, mean": None,
            "longest": None,
        }
        for how, mb in left.items()
    ]


def _of_states(mb: float, epoch_s: float) -> list[common.Row]:
    return [
        {
            "what": f"replay states of {EPOCHS:,} epochs, every {every:,}",
            "MB": mb * EPOCHS / every,
            "share, %": None,
            "seconds of a replay, mean": every / 2 * epoch_s,
            "longest": every * epoch_s,
        }
        for every in (500, EVERY, 2_500, 5_000, EPOCHS)
    ]


if __name__ == "__main__":
    main()
