"""CPU time of one thread for the small families, against plain loops in PyTorch, both sides in one run.

    python benchmarks/families.py [--json FILE] [--rounds N] [--quick]

Three rows: a step of markov_icl, the analysis of one of its checkpoints, a run of quadratic_mlp.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import common
import torch
from torch import Tensor, nn
from torch.nn import functional

from tdw.compute import keep_freed_memory
from tdw.families import get_family
from tdw.making.artifacts import analyze
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Store
from tdw.training.loop import train

MARKOV, QUADRATIC = get_family("markov_icl"), get_family("quadratic_mlp")


class Attention(nn.Module):
    """One causal head with linear layers, as a notebook has it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, positions, width)."""
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        scores = self.q(x) @ self.k(x).transpose(1, 2) / x.shape[-1] ** 0.5
        return self.o(scores.masked_fill(future, float("-inf")).softmax(dim=-1) @ self.v(x))


class Reader(nn.Module):
    """Two layers of attention on chains."""

    def __init__(self, states: int, length: int, width: int) -> None:
        super().__init__()
        self.embed, self.unembed = nn.Embedding(states, width), nn.Linear(width, states, bias=False)
        self.position = nn.Parameter(0.02 * torch.randn(length, width))
        self.layers = nn.ModuleList(Attention(width) for _ in range(2))

    def forward(self, tokens: Tensor) -> Tensor:
        """tokens: int64 (batch, positions)."""
        x = self.embed(tokens) + self.position[: tokens.shape[1]]
        for layer in self.layers:
            x = x + layer(x)
        return self.unembed(x)


def chains(count: int, states: int, length: int) -> Tensor:
    """Sequences of fresh chains, symbol by symbol."""
    rows = torch.distributions.Dirichlet(torch.ones(states)).sample((count, states))
    tokens = torch.empty(count, length, dtype=torch.long)
    tokens[:, 0] = torch.randint(states, (count,))
    for t in range(1, length):
        tokens[:, t] = torch.multinomial(rows[torch.arange(count), tokens[:, t - 1]], 1).squeeze(1)
    return tokens


def plain_markov(config: Any, *, steps: int) -> Callable[[], int]:
    """Steps of the textbook loop."""
    model = Reader(config.n_states, config.length, config.d_model)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.lr, betas=(config.beta1, config.beta2), weight_decay=config.weight_decay
    )

    def work() -> int:
        for _ in range(steps):
            tokens = chains(config.batch_size, config.n_states, config.length)
            logits = model(tokens[:, :-1])
            loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return steps

    return work


def plain_quadratic(config: Any, *, steps: int) -> Callable[[], int]:
    """A whole run of the textbook loop, test loss every ten steps."""
    p = config.p
    a, b = (x.flatten() for x in torch.meshgrid(torch.arange(p), torch.arange(p), indexing="ij"))
    right = functional.one_hot((a + b) % p, p).float()

    def work() -> int:
        train_pairs, test_pairs = torch.randperm(p * p).split([config.n_train, p * p - config.n_train])
        into = nn.Parameter(config.init_std * torch.randn(2 * p, config.width))
        out = nn.Parameter(config.init_std * torch.randn(config.width, p))
        optimizer = torch.optim.AdamW(
            [into, out], lr=config.lr, betas=(config.beta1, config.beta2), weight_decay=config.weight_decay
        )

        def loss(pairs: Tensor) -> Tensor:
            hidden = (into[a[pairs]] + into[p + b[pairs]]).square()
            return (hidden @ out - right[pairs]).square().mean()

        for step in range(steps):
            value = loss(train_pairs)
            if step % 10 == 0:
                with torch.no_grad():
                    loss(test_pairs).item()
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            value.item()
        return 1

    return work


def our_steps(config: VariantConfig, *, steps: int) -> Callable[[], int]:
    """Training as the workbench runs it, history and progress included, part after part in one store."""

    def parts() -> Iterator[int]:
        with tempfile.TemporaryDirectory() as folder:
            made = train(config, store=Store(folder), checkpoints=[f"0:{1000 * steps}:{steps}"])
            next(made)
            while True:
                next(made)
                yield steps

    found = parts()
    return lambda: next(found)


def our_run(config: VariantConfig, *, steps: int) -> Callable[[], int]:
    """A whole run into a store of its own."""

    def work() -> int:
        with tempfile.TemporaryDirectory() as folder:
            list(train(config, store=Store(folder), checkpoints=[steps]))
        return 1

    return work


def analysis(
    family: Family, config: VariantConfig, store: Store, *, times: int
) -> tuple[Callable[[], int], Callable[[], int]]:
    """A forward pass of the probe, and the analysis of a checkpoint, with reading and committing."""
    list(train(config, store=store, checkpoints=[0]))
    weights = family.init_weights(config)
    cells = {name: [0] for name in catalog_of(family).default_names}

    def forward() -> int:
        for _ in range(times):
            family.probe_pass(config, weights)
        return times

    def analyzed() -> int:
        assert all(result.error is None for result in analyze(store, family, config, cells))
        return 1

    return forward, analyzed


def main() -> None:
    """Measure, and say by how much ours is over the plain loop."""
    parser = common.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest sizes: whether it runs at all")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()  # as runs do
    started = time.perf_counter()
    quick = arguments.quick
    markov = MARKOV.make_config(seed=0, **({"length": 10, "batch_size": 4} if quick else {}))
    quadratic = QUADRATIC.make_config(seed=0, **({"p": 11, "width": 8} if quick else {}))
    steps, run = (2, 3) if quick else (30, 100)
    rows: list[dict[str, str | float | None]] = []
    with tempfile.TemporaryDirectory() as folder:
        forward, analyzed = analysis(MARKOV, markov, Store(folder), times=1 if quick else 5)
        sides = {
            f"markov_icl, a step (width {markov.d_model}, batch {markov.batch_size} × {markov.length})": (
                "a plain loop", plain_markov(markov, steps=steps), our_steps(markov, steps=steps)
            ),
            "markov_icl, analysis of a checkpoint": ("a forward pass of the probe", forward, analyzed),
            f"quadratic_mlp, a run of {run} steps (p={quadratic.p})": (
                "a plain loop", plain_quadratic(quadratic, steps=run), our_run(quadratic, steps=run)
            ),
        }  # fmt: skip
        for name, (against, plain, ours) in sides.items():
            timed = common.interleaved({"plain": plain, "ours": ours}, rounds=arguments.rounds)
            rows.append(
                {
                    "families": name,
                    "CPU ms, ours": 1e3 * timed["ours"].median,
                    "against": against,
                    "CPU ms, that": 1e3 * timed["plain"].median,
                    "ours of that": timed["ours"].median / timed["plain"].median,
                }
            )
    common.report(
        "Small families",
        rows,
        environment=common.machine(["torch", "numpy"]),
        json_path=arguments.json,
        notes=f"One thread; medians of {arguments.rounds} interleaved rounds. Ours as in the workbench, with "
        f"history, state and commits. Measured in {time.perf_counter() - started:.0f} s.",
    )


if __name__ == "__main__":
    main()
