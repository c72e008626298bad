"""What training a transformer takes, estimated before it starts: absurd values are refused in words."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tdw.errors import BadConfig
from tdw.families.transformer.config import TransformerConfig

# One thread of a recent server's core did 5e10 to 1.1e11 in models of 1,000 to 4 million parameters.
_OPERATIONS_PER_SECOND = 8e10
_SECONDS_PER_BLOCK = 3e-4  # calls into PyTorch, whatever the widths
MAX_SECONDS = 30 * 86_400.0


@dataclass(frozen=True)
class Cost:
    """An estimate, good to a factor of about three.

    Attributes:
        parameters: trained parameters.
        nbytes: peak memory of a training step: weights, gradients, moments, and what autograd keeps.
        seconds: all steps, on one CPU thread.
    """

    parameters: int
    nbytes: int
    seconds: float


def estimate(config: TransformerConfig, *, batch_size: int, steps: int) -> Cost:
    """The cost of `steps` steps with `batch_size` sequences of n_ctx tokens each."""
    d, width, m, context = config.d_model, config.n_heads * config.d_head, config.d_mlp, config.n_ctx
    tokens = batch_size * context
    pairs = tokens * context * config.n_heads
    read = tokens if config.loss != "last" else batch_size
    kept_per_layer = tokens * (4 * d + 5 * width + 2 * m) + 3 * pairs
    # Logits are float32, their log-softmax and its gradient float64.
    nbytes = 16 * config.parameters + 4 * config.n_layers * kept_per_layer + 24 * read * config.d_vocab_out
    products = tokens * config.n_layers * (4 * d * width + 2 * d * m) + read * d * config.d_vocab_out
    products += 2 * config.n_layers * pairs * config.d_head
    operations = 6 * products  # a multiplication and an addition, once forward and twice backward
    per_step = operations / _OPERATIONS_PER_SECOND + (config.n_layers + 1) * _SECONDS_PER_BLOCK
    return Cost(config.parameters, nbytes, steps * per_step)


def require_affordable(
    config: TransformerConfig,
    *,
    batch_size: int,
    steps: int,
    max_bytes: int | None = None,
    max_seconds: float = MAX_SECONDS,
) -> Cost:
    """The cost, if this machine can pay it.

    Args:
        config: the architecture.
        batch_size: sequences per step.
        steps: optimizer steps in all.
        max_bytes: memory there is; None is the machine's.
        max_seconds: longest training, 30 days by default.

    Raises:
        BadConfig: it takes more memory or time; says how much of each.
    """
    cost = estimate(config, batch_size=batch_size, steps=steps)
    available = physical_memory() if max_bytes is None else max_bytes
    if cost.nbytes > available or cost.seconds > max_seconds:
        raise BadConfig(
            f"training {cost.parameters:,} parameters on {batch_size:,} sequences of {config.n_ctx:,} tokens "
            f"for {steps:,} steps takes about {cost.nbytes / 2**30:,.1f} GiB of memory and "
            f"{_duration(cost.seconds)}; there are {available / 2**30:,.1f} GiB and "
            f"at most {_duration(max_seconds)}",
            "choose a smaller batch, context or width, or fewer steps",
        )
    return cost


def physical_memory() -> int:
    """Memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _duration(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} seconds"
