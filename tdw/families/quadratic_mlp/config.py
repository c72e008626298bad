"""The configuration of one variant."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tdw.errors import BadConfig
from tdw.families.affordable import OPERATIONS_PER_SECOND, Cost, require_affordable_cost
from tdw.families.keyed_config import SHARED_KEY, KeyedConfig
from tdw.families.keys import KeyField, normalize_numbers
from tdw.families.operations import FORMULAS, OPERATIONS, Operation, require_operation
from tdw.optimizers import Name
from tdw.parameters import require_whole_numbers

DEFAULT_EPOCHS = 100

_LIMITS = {
    "p": (3, 999),
    "width": (1, 65_536),
    "seed": (0, 2**63 - 1),
    "data_seed": (0, 2**63 - 1),
}
KEY = (
    KeyField("p", "p", "the modulus, odd", always=True),
    KeyField("seed", "s", "seed of the initialization", always=True),
    KeyField("data_seed", "d", "seed of the split into training and test pairs, and of the label noise"),
    KeyField("width", "width", "neurons"),
    KeyField("train_fraction", "f", "fraction of the pairs that train"),
    KeyField("label_noise", "noise", "fraction of the training pairs with a wrong answer"),
    KeyField("operation", "op-", f"what is learned, modulo p: {FORMULAS}"),
    KeyField("init_std", "std", "standard deviation of every weight at epoch 0"),
    *SHARED_KEY,
)


@dataclass(frozen=True)
class Config(KeyedConfig):
    """One variant: f(a, b) = (W_a[a] + W_b[b])² W_out, trained by mean squared error on one-hot answers.

    Args:
        seed: of the initialization.
        p: the modulus, odd, below 1000.
        width: neurons.
        data_seed: of the split into training and test pairs, and of the label noise.
        train_fraction: the first int(train_fraction p²) permuted pairs train.
        label_noise: fraction of the training pairs whose answer is replaced by a wrong one.
        init_std: standard deviation of every weight at epoch 0.
        operation: what is learned, a name of `families.operations`.
        optimizer, lr, weight_decay, beta1, beta2: see OptimizerConfig; the rest see KeyedConfig. The batch is
            full.

    Raises:
        BadConfig: a value that can't be used.
    """

    seed: int
    p: int = 97
    width: int = 500
    data_seed: int = 598
    train_fraction: float = 0.5
    label_noise: float = 0.0
    init_std: float = 0.05
    operation: str = field(default="add", kw_only=True)
    optimizer: Name = "AdamW"
    lr: float = 1e-2
    weight_decay: float = 5.0
    beta1: float = 0.9
    beta2: float = 0.98

    family: ClassVar[str] = "quadratic_mlp"
    named: ClassVar[Sequence[KeyField]] = KEY
    later: ClassVar[tuple[str, ...]] = (*KeyedConfig.later, "operation")
    trained: ClassVar[tuple[str, ...]] = ("W_a", "W_b", "W_out")

    def __post_init__(self) -> None:
        require_whole_numbers(self, _LIMITS)
        normalize_numbers(self)
        self.require_replicate()
        if self.p % 2 == 0:
            raise BadConfig(f"p is {self.p}", f"use an odd modulus, such as {self.p + 1}")
        for name, above, most in (
            ("train_fraction", 0.0, 1.0),
            ("label_noise", -math.inf, 1.0),
            ("init_std", 0.0, 100.0),
        ):
            number: Any = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not above < number <= most:
                raise BadConfig(f"{name} is {number!r}", f"use a number up to {most:g}")
        if not (0 < self.n_train < self.p**2 and self.label_noise >= 0):
            raise BadConfig(
                f"train_fraction {self.train_fraction} of {self.p**2} pairs, label_noise {self.label_noise}",
                "leave at least one pair on either side, and give a label_noise of at least 0",
            )
        require_operation(self.operation)
        _ = self.optimizer_config
        self._require_affordable()

    @property
    def task(self) -> Operation:
        """The operation."""
        return OPERATIONS[self.operation]

    @property
    def n_train(self) -> int:
        """Number of pairs that train."""
        return int(self.p * self.p * self.train_fraction)

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight, in the order in which the seed draws them."""
        return {"W_a": (self.p, self.width), "W_b": (self.p, self.width), "W_out": (self.width, self.p)}

    @property
    def cost(self) -> Cost:
        """What 100 steps and the analysis of a checkpoint take."""
        pairs, parameters = self.p**2, 3 * self.p * self.width
        step = 6 * self.n_train * self.width * self.p / OPERATIONS_PER_SECOND
        nbytes = 16 * parameters + 4 * pairs * (4 * self.width + 4 * self.p)
        return Cost(parameters, nbytes, DEFAULT_EPOCHS * step)

    def _require_affordable(self) -> None:
        require_affordable_cost(
            self.cost,
            f"{self.cost.parameters:,} parameters on {self.n_train:,} pairs for {DEFAULT_EPOCHS} steps",
            "choose a smaller width or modulus",
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            **self.values(),
            "optimizer_config": self.optimizer_config.to_dict(),
        }
