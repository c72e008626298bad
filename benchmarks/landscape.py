"""What the gradient, the curvature and the learning coefficient of a checkpoint cost: CPU time of one thread.

    python benchmarks/landscape.py [--json FILE] [--rounds N] [--epochs N] [--quick]

At epoch 0 and after some training: Lanczos takes as many products as it needs. The learning coefficient takes
the same at any epoch, in proportion to its steps; it is measured on a tenth of them. Beside them the forward
pass on the probe, and a training step.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import common
import torch

from tdw.families import get_family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.common.landscape.learning_coefficient import Settings
from tdw.recipes.family import VariantConfig

FAMILY = get_family("modulo_addition_1layer")
COEFFICIENT = "learning_coefficient"
FEW = Settings(chains=2, burn_in=40, draws=40)


def trained(config: VariantConfig, epochs: int) -> dict[str, torch.Tensor]:
    """Weights after so many steps."""
    weights = FAMILY.init_weights(config)
    objective, optimizer = FAMILY.objective(config), FAMILY.make_optimizer(config, weights)
    for epoch in range(epochs):
        objective.loss_and_gradients(weights, epoch)
        optimizer.step()
    return weights


def cpu_seconds(work: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Measure, and say what each costs in seconds, forward passes and training steps."""
    parser = common.parser(__doc__)
    parser.set_defaults(rounds=1)
    parser.add_argument("--epochs", type=int, default=100, help="trained before the second checkpoint")
    parser.add_argument("--quick", action="store_true", help="a tiny network: whether it runs at all")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.perf_counter()
    catalog = catalog_of(FAMILY)
    fields = [{"p": 59, "seed": 999, "train_fraction": 0.4}, {"p": 113, "seed": 999}]
    if arguments.quick:
        fields = [{"p": 5, "seed": 1, "d_mlp": 8, "d_model": 8, "d_head": 8, "n_heads": 1}]
    rows: list[common.Row] = []
    for given in fields:
        config = FAMILY.make_config(**given)
        tensors = {epoch: trained(config, epoch) for epoch in (0, arguments.epochs)}
        objective, start = FAMILY.objective(config), tensors[0]
        works: dict[str, Callable[[], Any]] = {
            "the probe's forward pass": lambda c=config, w=start: FAMILY.probe_pass(c, w).logits,
            "a training step": lambda o=objective, w=start: o.loss_and_gradients(w, 0),
        }
        for name, epoch in (
            ("gradients", 0),
            ("curvature", 0),
            ("curvature", arguments.epochs),
            (COEFFICIENT, 0),
        ):
            arrays = {key: tensor.detach().numpy() for key, tensor in tensors[epoch].items()}
            analyzer = catalog.analyzer(name)
            parameters = FEW if name == COEFFICIENT else analyzer.parameters()

            def work(
                analyzer: Any = analyzer, arrays: Any = arrays, given: Any = parameters, config: Any = config
            ) -> None:
                analyzer.function(FAMILY.open_checkpoint(config, arrays, lambda: None), given)

            works[name if name == COEFFICIENT else f"{name}, epoch {epoch}"] = work
        for name in ("the probe's forward pass", "a training step", "gradients, epoch 0"):
            works[name]()  # compiled and cached
        taken = {
            name: min(cpu_seconds(work) for _ in range(arguments.rounds)) for name, work in works.items()
        }
        dear = catalog.analyzer(COEFFICIENT)
        taken[COEFFICIENT] *= dear.steps(Settings()) / dear.steps(FEW)
        step, probe = taken["a training step"], taken["the probe's forward pass"]
        rows += [
            {
                "what": f"p={given['p']}: {name}",
                "CPU s": seconds,
                "forward passes": seconds / probe,
                "training steps": seconds / step,
            }
            for name, seconds in taken.items()
        ]
    common.report(
        "Curvature",
        rows,
        environment=common.machine(["torch", "numba", "numpy", "scipy"]),
        json_path=arguments.json,
        notes="Per checkpoint, one thread, settings as they are by default; `curvature` and "
        "`learning_coefficient` are off by default. "
        f"Measured in {time.perf_counter() - started:.0f} s.",
    )


if __name__ == "__main__":
    main()
