"""One, eight and a hundred variants in the batch form against variants one by one in the plain form.

    python benchmarks/batch.py [--json FILE] [--rounds N] [--epochs N] [--p P]

On the CPU: time of one thread, one and eight variants. On a CUDA device, where there is one: wall time,
multiplied up to 25,000 epochs, of one, eight and a hundred variants, and how far the first losses are from
the CPU's. Loss, gradients and step alone: no history, checkpoints and metrics.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import common
import torch

from tdw.compute import one_thread
from tdw.families import get_family
from tdw.known_settings import known_settings
from tdw.recipes.family import Form
from tdw.training.trainer import Batch, Trainer

FAMILY = get_family("modulo_addition_1layer")
WHOLE = 25_000
COMPARED = 60
FORMS: tuple[Form, Form] = ("plain", "batch")
Epoch = Callable[[], list[float]]
Way = Callable[[list[Trainer]], Epoch]


def trainers(p: int, count: int, *, device: str, form: Form) -> list[Trainer]:
    """New ones of seeds 1, 2 ..."""
    found = []
    for seed in range(1, count + 1):
        config = FAMILY.make_config(p=p, seed=seed)
        found.append(Trainer(FAMILY, config, device=device, form=form))
        found[-1].restore(None)
    return found


def together(each: list[Trainer]) -> Epoch:
    """One epoch of a batch; its losses."""
    batch = Batch(each)

    def epoch() -> list[float]:
        losses = batch.losses()
        batch.step()
        return losses

    return epoch


def one_by_one(each: list[Trainer]) -> Epoch:
    """One epoch of each variant by itself; their losses."""

    def epoch() -> list[float]:
        losses = [trainer.loss_and_gradients() for trainer in each]
        for trainer in each:
            trainer.step()
        return losses

    return epoch


def distance(p: int) -> float:
    """Of weights in a batch of eight from those of the plain form after `COMPARED` epochs: the largest of all
    variants, in norm, as a share of the weights' norm.
    """
    plain, batch = (trainers(p, 8, device="cpu", form=form) for form in FORMS)
    alone, side_by_side = one_by_one(plain), together(batch)
    for _ in range(COMPARED):
        alone()
        side_by_side()
    found = []
    for one, other in zip(plain, batch, strict=True):
        here, there = (torch.cat([w.flatten() for w in t.weights.values()]).double() for t in (one, other))
        found.append(float((here - there).norm() / here.norm()))
    return max(found)


def on_cpu(p: int, epochs: int, rounds: int) -> list[dict[str, str | float | None]]:
    """CPU time of one thread per epoch and variant."""

    def repeated(epoch: Epoch, count: int) -> Callable[[], int]:
        def work() -> int:
            for _ in range(epochs):
                epoch()
            return epochs * count

        return work

    ways: dict[str, tuple[Way, Form, int]] = {
        "one variant, plain form": (one_by_one, "plain", 1),
        "one variant, batch form": (together, "batch", 1),
        "eight variants, plain form, one by one": (one_by_one, "plain", 8),
        "eight variants, one batch": (together, "batch", 8),
    }
    timings = common.interleaved(
        {
            name: repeated(way(trainers(p, count, device="cpu", form=form)), count)
            for name, (way, form, count) in ways.items()
        },
        rounds=rounds,
    )
    plain = timings["one variant, plain form"].median
    return [
        row(
            f"CPU: {name}",
            **{"ms per epoch and variant": 1e3 * timing.median, "of plain": timing.median / plain},
        )
        for name, timing in timings.items()
    ]


def on_cuda(p: int, epochs: int) -> list[dict[str, str | float | None]]:
    """Wall time of all epochs, from that of some; largest relative difference to the CPU's losses."""
    rows = []
    reference = one_by_one(trainers(p, 1, device="cpu", form="plain"))
    losses = [reference()[0] for _ in range(epochs)]
    for count in (1, 8, 100):
        epoch = together(trainers(p, count, device="cuda", form="batch"))
        first = [epoch()[0] for _ in range(epochs)]  # the graph is captured in the first one
        start = time.perf_counter()
        for _ in range(epochs):
            epoch()
        torch.cuda.synchronize()
        taken = (time.perf_counter() - start) / epochs
        off = max(abs(a - b) / b for a, b in zip(first, losses, strict=True))
        ms = 1e3 * taken / count
        found = {"ms per epoch and variant": ms, "s for 25,000 epochs": WHOLE * taken, "losses off by": off}
        rows.append(row(f"CUDA: {count} in one batch", **found))
    return rows


def row(name: str, **numbers: float) -> dict[str, str | float | None]:
    columns = ("ms per epoch and variant", "of plain", "s for 25,000 epochs", "losses off by")
    return {"batches": name, **{column: numbers.get(column) for column in columns}}


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=20, help="of each measurement; on CUDA take 1000")
    parser.add_argument("--p", type=int, default=59, help="modulus")
    options = parser.parse_args()
    cuda = torch.cuda.is_available()
    with known_settings(), one_thread():
        rows = on_cpu(options.p, options.epochs, options.rounds)
        rows += on_cuda(options.p, options.epochs) if cuda else []
        off = ", ".join(f"{distance(p):.1e} at p={p}" for p in (7, 13))
    environment = common.machine(["torch"])
    if cuda:
        environment["gpu"] = torch.cuda.get_device_name()
    where = "" if cuda else " No CUDA device here: the batch form has never run on one."
    common.report(
        "Batches",
        rows,
        environment=environment,
        json_path=options.json,
        notes=f"p={options.p}; medians of {options.rounds} rounds of {options.epochs} epochs. "
        f"On the CPU the weights in a batch of eight are at most {off} off the plain form's after {COMPARED} "
        f"epochs, in norm.{where}",
    )


if __name__ == "__main__":
    main()
