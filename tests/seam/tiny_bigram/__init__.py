"""A family without modulus, pairs, neurons or test set: next-token logits, one row per token.

Each step draws a fresh batch of (token, next token) from a fixed chain.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tdw.errors import BadConfig
from tdw.optimizers import OptimizerConfig
from tdw.recipes.analyzer import Analyzer
from tdw.recipes.comparison import Comparison
from tdw.recipes.explorer import Explorer, SliceRecipe
from tdw.recipes.family import Family, Field
from tdw.recipes.figure import NoParameters, Plot
from tdw.recipes.overview import OverviewColumn
from tdw.recipes.reading.slices import Slice, SliceQuery, epochs_of, read_each
from tdw.recipes.summary import Inputs, Summary
from tdw.store.fingerprints import fingerprint_arrays, fingerprint_json


@dataclass(frozen=True)
class Config:
    vocab: int
    seed: int = 0
    batch: int = 16
    family: ClassVar[str] = "tiny_bigram"

    def __post_init__(self) -> None:
        if not 2 <= self.vocab <= 50:
            raise BadConfig(f"vocab is {self.vocab}", "use 2 to 50 tokens")

    @property
    def key(self) -> str:
        return f"v{self.vocab}_s{self.seed}" + (f"_b{self.batch}" if self.batch != 16 else "")

    @classmethod
    def parse(cls, key: str) -> Config:
        match = re.fullmatch(r"v(\d+)_s(\d+)(?:_b(\d+))?", key)
        if match is None:
            raise BadConfig(f"{key!r} is not the key of a variant", "keys look like v5_s0")
        return cls(int(match[1]), int(match[2]), int(match[3] or 16))

    @property
    def fingerprint(self) -> str:
        return fingerprint_json(self.to_dict())

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"table": (self.vocab, self.vocab)}

    def to_dict(self) -> dict[str, Any]:
        return {"family": self.family, **asdict(self)}


class Objective:
    form = "plain"

    def __init__(self, config: Config, *, device: str) -> None:
        self._config = config
        rng = np.random.default_rng(config.seed)
        self._chain = rng.dirichlet(np.ones(config.vocab), size=config.vocab)

    def loss_and_gradients(self, weights: Any, epoch: int) -> float:
        import torch

        rng = np.random.default_rng((self._config.seed, epoch))
        tokens = rng.integers(self._config.vocab, size=self._config.batch)
        following = [int(rng.choice(self._config.vocab, p=self._chain[token])) for token in tokens]
        table = weights["table"].detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(table[torch.as_tensor(tokens)], torch.as_tensor(following))
        (weights["table"].grad,) = torch.autograd.grad(loss, [table])
        return loss.item()

    def metrics(self, weights: Any) -> tuple[float, ...]:
        return ()


def init_weights(config: Config) -> dict[str, Any]:
    import torch

    generator = torch.Generator().manual_seed(config.seed)
    return {"table": torch.randn(config.vocab, config.vocab, generator=generator)}


def make_optimizer(config: Config, weights: Any) -> Any:
    from tdw.optimizers.optimizer import Optimizer

    return Optimizer(OptimizerConfig(name="SGD", lr=0.5, momentum=0.9), weights, trained=["table"])


@dataclass
class Context:
    weights: Any
    run_probe: Callable[[], np.ndarray]
    results: dict[str, Any]


def _probabilities(config: Config, weights: Any, *, device: str = "cpu") -> np.ndarray:
    return weights["table"].softmax(dim=-1).numpy()


def _entropy(context: Context, parameters: NoParameters) -> dict[str, np.ndarray]:
    p = context.run_probe().astype(np.float64)
    return {"entropy": -(p * np.log(p)).sum(axis=1)}


def _mean_entropy(inputs: Inputs, parameters: NoParameters) -> Any:
    import pandas as pd

    values = inputs.stack("entropy", "entropy").mean(axis=1)
    return pd.DataFrame({"epoch": np.array(inputs.epochs, np.int64), "mean_entropy": values})


def _chart(table: Any) -> Any:
    from tdw.drawing.chart import Chart, Panel
    from tdw.drawing.marks import Axis, Line

    line = Line(table["epoch"].to_numpy(), table["mean_entropy"].to_numpy(), name="mean entropy")
    return Chart("Entropy", (Panel([line], y=Axis("entropy", "nats")),))


def _rows(query: SliceQuery) -> Slice:
    series, tokens = query.series["entropy"], list(query.indices["tokens"])
    found, problems = read_each(series, lambda address: query.store.read(address).arrays["entropy"][tokens])
    return Slice(
        {"epochs": epochs_of(found), "entropy": np.stack([row for _, row in found]).astype(np.float32)},
        problems,
    )


ENTROPY = Analyzer("entropy", "Entropy", "Entropy of the next token, in nats.", "1", NoParameters, _entropy)
TABLE = Summary("entropy", "Entropy", "Mean entropy by epoch, in nats.", "1", ("entropy",), _mean_entropy)
PLOT = Plot(
    name="entropy",
    title="Entropy",
    description="Mean entropy of the next token, in nats.",
    code_version="1",
    scope="variant",
    load=lambda sources, parameters: sources.only.summary("entropy"),
    chart=_chart,
    table=lambda table: table,
    needs=("summaries/entropy",),
)

FAMILY = Family(
    name=Config.family,
    title="Tiny bigram",
    description="Next-token logits, one row per token.",
    code_version="1",
    default_epochs=20,
    default_checkpoints=("0:20:5",),
    fields=(
        Field("vocab", int, None, "number of tokens"),
        Field("seed", int, 0, "seed of everything"),
        Field("batch", int, 16, "pairs per step"),
    ),
    make_config=Config,
    parse_variant=Config.parse,
    init_weights=init_weights,
    make_optimizer=make_optimizer,
    objective=lambda config, *, device="cpu", form=None: Objective(config, device=device),
    probe_pass=_probabilities,
    probe_fingerprint=lambda config: fingerprint_arrays({"tokens": np.arange(config.vocab)}),
    open_checkpoint=lambda config, weights, run_probe: Context(weights, run_probe, {}),
    recipes=(ENTROPY, TABLE, PLOT),
    comparison=Comparison(
        tables=("entropy",),
        alike=("entropy",),
        columns=lambda variant, early: {
            "final_entropy": variant.get("entropy")["mean_entropy"].iloc[-1]
            if variant.get("entropy") is not None
            else np.nan
        },
        whole=(),
        description="- `final_entropy`: mean entropy at the last analyzed epoch, nats",
        code_version="1",
    ),
    overview=(OverviewColumn("entropy", "entropy", text=lambda t: f"{t.mean_entropy.iloc[-1]:.2f} nats"),),
    lengths=lambda config: {"vocab": config.vocab},
    explorer=Explorer(
        title="Token explorer",
        folder=Path(__file__).parent / "explorer",
        slices={"tokens": SliceRecipe(_rows, ("entropy",), indices={"tokens": ("vocab", 3)})},
    ),
)
