"""What one variant costs: seconds for plans and progress, and memory and time before anything starts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tdw.families import affordable
from tdw.recipes.cost import Cost

if TYPE_CHECKING:
    from tdw.families.modulo_addition_1layer.config import Config

DEFAULT_EPOCHS = 25_000


def cost(config: Config) -> Cost:
    """Measured at p=113 (benchmarks/training.py, benchmarks/analysis.py); the rest grows with the work."""
    share = (config.p / 113) ** 2
    wider = _per_pair(config) / _per_pair(config, d_mlp=512, n_heads=4)
    neurons = config.d_mlp / 512
    return Cost(
        step=0.001 + 0.024 * share * wider, checkpoint=0.015, cell=0.008 + 0.025 * share * neurons, table=0.5
    )


def estimate(config: Config) -> affordable.Cost:
    """What training for the family's default number of epochs, and analyzing a checkpoint, take."""
    p, d, m, wide = config.p, config.d_model, config.d_mlp, config.n_heads * config.d_head
    shapes = config.weight_shapes
    parameters = sum(math.prod(shapes[name]) for name in config.trained)
    # The plain form keeps a row per training pair; analysis a map per neuron, its energies, and logits.
    training = 4 * config.n_train * (4 * m + 4 * wide + 3 * d + 6 * p)
    analysis = 4 * p**2 * (2 * m + 12 * config.n_heads + 2 * p + 2 * d)
    tables = 8 * config.n_heads * (2 * p + 1) * (m + p)
    products = config.n_train * _per_pair(config) + 2 * p * wide * (d + m) + d * m * p
    seconds = DEFAULT_EPOCHS * 6 * products / affordable.OPERATIONS_PER_SECOND
    return affordable.Cost(parameters, 16 * parameters + tables + max(training, analysis), seconds)


def require_affordable(config: Config) -> None:
    """Raise BadConfig unless this machine has the memory, and a month is time enough."""
    found = estimate(config)
    affordable.require_affordable_cost(
        found,
        f"{found.parameters:,} parameters on {config.n_train:,} pairs for {DEFAULT_EPOCHS:,} epochs",
        "choose smaller widths or a smaller modulus",
    )


def _per_pair(config: Config, *, d_mlp: int = 0, n_heads: int = 0) -> int:
    """Multiplications of one pair's forward pass: the mix of table rows, and the readout."""
    m = d_mlp or config.d_mlp
    return m * config.p + 2 * (n_heads or config.n_heads) * (m + config.p)
