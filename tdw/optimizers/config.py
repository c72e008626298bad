"""How weights follow their gradients: an optimizer by torch's name and its settings. Loads no torch."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

from tdw.errors import BadConfig

Name = Literal["AdamW", "Adam", "SGD", "Muon"]
Decay = Literal["all", "matrices"]
Schedule = Literal["constant", "cosine"]


@dataclass(frozen=True)
class OptimizerConfig:
    """How weights follow their gradients.

    Args:
        name: "AdamW", "Adam" (weight decay is an L2 term of the gradient), "SGD" or "Muon".
        lr: peak learning rate.
        weight_decay: of AdamW and Muon times lr per step; of Adam and SGD added to the gradient.
        betas, eps: of Adam, AdamW, and of Muon's AdamW part.
        momentum: of SGD and Muon (Nesterov's in Muon).
        decay: "all" weights decay, or only "matrices": not biases, layer norms and embeddings.
        clip: largest global norm of the gradients; None does not clip.
        warmup: steps over which the learning rate rises linearly; the first step has lr / warmup.
        schedule: "constant" after the warm-up, or "cosine" to 0 at step `total`.
        total: last step of the cosine.

    Raises:
        BadConfig: a value that can't be used.
    """

    name: Name = "AdamW"
    lr: float = 1e-3
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    momentum: float = 0.0
    decay: Decay = "all"
    clip: float | None = None
    warmup: int = 0
    schedule: Schedule = "constant"
    total: int | None = None

    def __post_init__(self) -> None:
        for field, choices in (("name", Name), ("decay", Decay), ("schedule", Schedule)):
            if getattr(self, field) not in get_args(choices):
                named = ", ".join(get_args(choices))
                raise BadConfig(f"optimizer {field} is {getattr(self, field)!r}", f"use one of: {named}")
        betas: Any = self.betas
        if not (isinstance(betas, (tuple, list)) and len(cast("list[Any]", betas)) == 2):
            raise BadConfig(f"betas is {betas!r}", "give two numbers, such as [0.9, 0.98]")
        object.__setattr__(self, "betas", tuple(self.betas))
        _require("lr", self.lr, above=0.0, most=1e3)
        _require("eps", self.eps, above=0.0, most=1.0)
        _require("weight_decay", self.weight_decay, least=0.0, most=1e3)
        for field, value in (("momentum", self.momentum), ("betas", self.betas[0]), ("betas", self.betas[1])):
            _require(field, value, least=0.0, below=1.0)
        if self.clip is not None:
            _require("clip", self.clip, above=0.0)
        warmup: Any = self.warmup
        if isinstance(warmup, bool) or not isinstance(warmup, int) or warmup < 0:
            raise BadConfig(f"warmup is {warmup!r}", "give a whole number of steps, 0 for none")
        if self.schedule == "cosine" and (self.total is None or self.total <= self.warmup):
            raise BadConfig(
                f"the cosine ends at step {self.total}, the warm-up at {self.warmup}",
                "give total, the step at which the learning rate is 0, above warmup",
            )

    def to_dict(self) -> dict[str, Any]:
        """Every field, JSON-able."""
        return {**asdict(self), "betas": list(self.betas)}

    def lr_at(self, step: int) -> float:
        """Learning rate of the update that follows `step` updates; a pure function, so it needs no state."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if self.schedule == "constant" or self.total is None:
            return self.lr
        progress = min(1.0, (step - self.warmup) / (self.total - self.warmup))
        return self.lr * 0.5 * (1 + math.cos(math.pi * progress))


def _require(
    name: str,
    value: Any,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if number and least <= value <= most and above < value < below:
        return
    words = [
        f"{word} {bound:g}"
        for word, bound in (("at least", least), ("above", above), ("at most", most), ("below", below))
        if math.isfinite(bound)
    ]
    raise BadConfig(f"{name} is {value!r}", f"use a number {' and '.join(words)}")
