"""A family whose model is one module of functions: what its declaration takes from there.

The module has

    init_weights(config) -> weights at epoch 0, by name, float32 on the CPU
    make_optimizer(config, weights) -> tdw.optimizers' Optimizer of the trained ones
    loss_and_gradients(config, weights, step) -> float; sets `.grad` of each trained tensor
    evaluate(config, weights) -> metrics by name
    probe_pass(config, weights, *, device) -> what the analyzers read
    probe_fingerprint(config) -> fingerprint of the probe's inputs
    pure_loss(config, *, device) -> tdw.pure_loss' PureLoss, the same loss once more; only with `in_batches`

and is imported when the first of them is called, so that a declaration loads no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from tdw.errors import BadConfig
from tdw.known_settings import under_known_settings
from tdw.pure_loss import PureLoss
from tdw.recipes.family import Form, Metric, VariantConfig, Weights


@dataclass(frozen=True)
class PlainObjective:
    """The loss and the metrics of a model module, for training."""

    config: VariantConfig
    model: Any
    names: tuple[str, ...]
    form: Form = "plain"

    def loss_and_gradients(self, weights: Weights, epoch: int) -> float:
        """See Objective."""
        return self.model.loss_and_gradients(self.config, weights, epoch)

    def metrics(self, weights: Weights) -> tuple[float, ...]:
        """See Objective."""
        found = self.model.evaluate(self.config, weights)
        return tuple(float(found[name]) for name in self.names)


class ModelFunctions(TypedDict):
    """Arguments of `Family`."""

    init_weights: Callable[..., Any]
    make_optimizer: Callable[..., Any]
    objective: Callable[..., Any]
    pure_loss: Callable[..., PureLoss] | None
    probe_pass: Callable[..., Any]
    probe_fingerprint: Callable[..., str]
    metrics: tuple[Metric, ...]


def model_functions(module: str, *, metrics: Sequence[Metric], in_batches: bool = False) -> ModelFunctions:
    """The functions of a model module, as arguments of `Family`.

    Args:
        module: its full name, such as "tdw.families.markov_icl.model".
        metrics: which values of `evaluate` the history keeps, in this order.
        in_batches: the module has a `pure_loss`, so that variants can train in batches.
    """
    names = tuple(metric.name for metric in metrics)

    def later(name: str) -> Callable[..., Any]:
        @under_known_settings
        def call(*args: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*args, **options)

        return call

    @under_known_settings
    def objective(config: VariantConfig, *, device: str = "cpu", form: Form | None = None) -> PlainObjective:
        if form not in (None, "plain"):
            raise BadConfig(f"{config.family} has no {form} form", "use the plain form")
        return PlainObjective(config, importlib.import_module(module), names)

    return {
        "init_weights": later("init_weights"),
        "make_optimizer": later("make_optimizer"),
        "objective": objective,
        "pure_loss": later("pure_loss") if in_batches else None,
        "probe_pass": later("probe_pass"),
        "probe_fingerprint": later("probe_fingerprint"),
        "metrics": tuple(metrics),
    }
