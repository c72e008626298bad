"""CPU time of one thread for an epoch of training at p=113: plain loops over all positions against ours.

    python benchmarks/training.py [--json FILE] [--rounds N]

The plain loops evaluate the test loss every epoch, which is what a notebook does. Ours run as they do in the
workbench: history, progress and the state at the end included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import common
import torch
from torch import Tensor

from tdw.families import get_family
from tdw.families.modulo_addition_1layer.model.network import cross_entropy
from tdw.families.modulo_addition_1layer.model.objective import split
from tdw.recipes.family import Form, Weights
from tdw.store import Store
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
KEY = "p113_s999_d598"
CONFIG = FAMILY.parse_variant(KEY)


def all_positions(weights: Weights, tokens: Tensor) -> Tensor:
    """Logits of the last position, computed as any transformer does: everything at every position."""
    attn = {name: weights[f"blocks.0.attn.W_{name}"] for name in "QKVO"}
    stream = weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"]
    q, k, v = (torch.einsum("nsd,hde->nhse", stream, attn[name]) for name in "QKV")
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    z = scores.masked_fill(future, float("-inf")).softmax(dim=-1) @ v
    stream = stream + torch.einsum("nhse,hed->nsd", z, attn["O"])
    stream = stream + torch.relu(stream @ weights["blocks.0.mlp.W_in"]) @ weights["blocks.0.mlp.W_out"]
    return (stream @ weights["unembed.W_U"])[:, -1]


def plain_loop(parameters: list[Tensor], logits: Callable[[Tensor], Tensor]) -> Callable[[], float]:
    """One epoch of the textbook loop, test loss included."""
    p = CONFIG.p
    index = [torch.as_tensor(part) for part in split(CONFIG)]
    tokens = [torch.stack([part // p, part % p, torch.full_like(part, p)], dim=1) for part in index]
    answers = [(part // p + part % p) % p for part in index]
    optimizer = torch.optim.AdamW(
        parameters, lr=CONFIG.lr, weight_decay=CONFIG.weight_decay, betas=(CONFIG.beta1, CONFIG.beta2)
    )

    def epoch() -> float:
        loss = cross_entropy(logits(tokens[0]), answers[0])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            cross_entropy(logits(tokens[1]), answers[1]).item()
        return loss.item()

    return epoch


def pytorch_loop() -> Callable[[], float]:
    weights = FAMILY.init_weights(CONFIG)
    trained = [weights[name].requires_grad_() for name in CONFIG.trained]
    return plain_loop(trained, lambda tokens: all_positions(weights, tokens))


def transformer_lens_loop() -> Callable[[], float]:
    model: Any = FAMILY.to_transformer_lens(CONFIG, FAMILY.init_weights(CONFIG))
    model.train()
    trained = [tensor for name, tensor in model.named_parameters() if not name.endswith("bias")]
    return plain_loop(trained, lambda tokens: model(tokens)[:, -1])


def our_loop(form: Form, *, test_every: int, epochs: int) -> Iterator[int]:
    """Train for `epochs` from the last one on, in one store; yields after each such part."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        steps = train(
            CONFIG, store=store, checkpoints=[f"0:{1000 * epochs}:{epochs}"], form=form, test_every=test_every
        )
        next(steps)
        while True:
            next(steps)
            yield epochs


def repeated(epoch: Callable[[], float], times: int) -> Callable[[], int]:
    def work() -> int:
        for _ in range(times):
            epoch()
        return times

    return work


def peak_memory(epochs: int) -> float:
    """Peak resident memory, in MB, of a process that only trains."""
    code = (
        "import tempfile, common\n"
        "from tdw.families import get_family\n"
        "from tdw.store import Store\n"
        "from tdw.training.loop import train\n"
        f"config = get_family('modulo_addition_1layer').parse_variant({KEY!r})\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        f"    list(train(config, store=Store(folder), checkpoints=[0, {epochs}]))\n"
        "print(common.peak_rss_mb())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="single epochs: whether it runs at all")
    arguments = parser.parse_args()
    plain, numba, textbook = ((1, 1), (1, 1), 1) if arguments.quick else ((10, 5), (50, 20), 3)
    torch.set_num_threads(1)
    started = time.perf_counter()
    ours = {
        f"tdw, {form} form, test every {every}": our_loop(form, test_every=every, epochs=epochs)
        for form, parts in (("plain", plain), ("numba", numba))
        for every, epochs in zip((10, 1), parts, strict=True)
    }
    baseline = "PyTorch, all positions, test every epoch"
    timings = common.interleaved(
        {
            baseline: repeated(pytorch_loop(), textbook),
            "TransformerLens, test every epoch": repeated(transformer_lens_loop(), textbook),
            **{name: (lambda steps=steps: next(steps)) for name, steps in ours.items()},
        },
        rounds=arguments.rounds,
    )
    reference = timings[baseline].median
    rows = [
        {
            "training p=113": name,
            "CPU ms per epoch": 1e3 * timing.median,
            "best": 1e3 * timing.best,
            "worst": 1e3 * timing.worst,
            "of PyTorch": timing.median / reference,
        }
        for name, timing in timings.items()
    ]
    memory = peak_memory(2 if arguments.quick else 60)
    common.report(
        "Training",
        rows,
        environment=common.machine(["torch", "numba", "numpy", "transformer-lens"]),
        json_path=arguments.json,
        notes=f"One thread; medians of {arguments.rounds} interleaved rounds. "
        f"Peak memory of a training process: {memory:.0f} MB. "
        f"Measured in {time.perf_counter() - started:.0f} s.",
    )


if __name__ == "__main__":
    main()
