"""What training a transformer takes, estimated before it starts: absurd values are refused in words."""

from __future__ import annotations

from tdw.families.affordable import MAX_SECONDS, OPERATIONS_PER_SECOND, Cost, require_affordable_cost
from tdw.families.transformer.config import TransformerConfig

_SECONDS_PER_BLOCK = 3e-4  # calls into PyTorch, whatever the widths


def estimate(
    config: TransformerConfig, *, batch_size: int, steps: int, probe: int = 0, data_bytes: int = 0
) -> Cost:
    """The cost of `steps` steps with `batch_size` sequences of n_ctx tokens each.

    Memory is that of training, of analyzing `probe` sequences or of making the data, whichever takes most.
    """
    d, width, m, context = config.d_model, config.n_heads * config.d_head, config.d_mlp, config.n_ctx
    tokens = batch_size * context
    pairs = tokens * context * config.n_heads
    read = tokens if config.loss != "last" else batch_size
    kept_per_layer = tokens * (4 * d + 5 * width + 2 * m) + 3 * pairs
    # Logits are float32, their log-softmax and its gradient float64.
    training = 12 * config.parameters + 4 * config.n_layers * kept_per_layer + 24 * read * config.d_vocab_out
    # Analysis keeps every activation of its pass, scores and patterns among them, and logits in float64.
    share = probe / batch_size
    kept_per_layer = tokens * (3 * d + 4 * width + 2 * m) + 2 * pairs
    analysis = share * (4 * config.n_layers * kept_per_layer + 24 * tokens * config.d_vocab_out)
    nbytes = 4 * config.parameters + int(max(training, analysis, data_bytes))
    products = tokens * config.n_layers * (4 * d * width + 2 * d * m) + read * d * config.d_vocab_out
    products += 2 * config.n_layers * pairs * config.d_head
    operations = 6 * products  # a multiplication and an addition, once forward and twice backward
    per_step = operations / OPERATIONS_PER_SECOND + (config.n_layers + 1) * _SECONDS_PER_BLOCK
    return Cost(config.parameters, nbytes, steps * per_step)


def require_affordable(
    config: TransformerConfig,
    *,
    batch_size: int,
    steps: int,
    probe: int = 0,
    data_bytes: int = 0,
    max_bytes: int | None = None,
    max_seconds: float = MAX_SECONDS,
) -> Cost:
    """The cost, if this machine can pay it.

    Args:
        config: the architecture.
        batch_size: sequences per step.
        steps: optimizer steps in all.
        probe: sequences of the probe; 0 counts training alone.
        data_bytes: memory that making the data takes.
        max_bytes: memory there is; None is the machine's.
        max_seconds: longest training, 30 days by default.

    Raises:
        BadConfig: it takes more memory or time; says how much of each.
    """
    cost = estimate(config, batch_size=batch_size, steps=steps, probe=probe, data_bytes=data_bytes)
    return require_affordable_cost(
        cost,
        f"{cost.parameters:,} parameters on {batch_size:,} sequences of {config.n_ctx:,} tokens for "
        f"{steps:,} steps",
        "choose a smaller batch, context or width, or fewer steps",
        max_bytes=max_bytes,
        max_seconds=max_seconds,
    )
