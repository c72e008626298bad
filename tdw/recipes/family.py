"""What a family brings: its configuration, its model, its probe and its recipes.

Everything about one group of models is in its family. Training, analysis, pages and Dagster ask
this declaration, and name no field of a family's configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from tdw.errors import BadConfig
from tdw.recipes.cost import Cost

if TYPE_CHECKING:
    import torch

    from tdw.pure_loss import PureLoss
    from tdw.recipes.analyzer import Analyzer
    from tdw.recipes.comparison import Comparison
    from tdw.recipes.context import Context
    from tdw.recipes.explorer import Explorer
    from tdw.recipes.figure import Plot
    from tdw.recipes.measures import Control, Measure, Picture, Quantity, Section
    from tdw.recipes.outcome import Outcome
    from tdw.recipes.overview import OverviewColumn
    from tdw.recipes.summary import Summary

Weights = Mapping[str, "torch.Tensor"]
"""Weights by TransformerLens (HookedTransformer) name where TransformerLens has such a model, float32."""

Form = Literal["numba", "plain", "batch"]
"""How the network is computed. Same function, not the same bits: a replay uses the form of its state.

"batch" is the plain form with a leading axis over variants, made from `Family.pure_loss`.
"""


class VariantConfig(Protocol):
    """The configuration of one variant: a frozen dataclass that names everything that decides its bits."""

    family: ClassVar[str]

    @property
    def key(self) -> str:
        """The variant's canonical key, such as `p113_s999_d598`."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the full resolved configuration."""
        ...

    @property
    def weight_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shape of every weight of a checkpoint, by name; all of them are float32."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The full resolved configuration, JSON-able."""
        ...


MAX_REPLICATE = 9999


def base_key(config: VariantConfig) -> str:
    """The key that the replicates of a variant share; its own key in a family without replicates."""
    return getattr(config, "base_key", config.key)


def replicate_of(config: VariantConfig) -> int:
    """Which replicate a variant is, 0 for the plain run and in a family without replicates."""
    return getattr(config, "replicate", 0)


def fields_of(config: VariantConfig) -> dict[str, Any]:
    """A variant's configuration by name: its record, and the fields that the record leaves out or nests."""
    given = {field.name: getattr(config, field.name) for field in fields(cast("Any", config))}
    return {**config.to_dict(), **given}


def wrong_layout(shapes: Mapping[str, tuple[int, ...]], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """How arrays differ from float32 weights of these shapes, in words; "" when they don't."""
    problems = [f"{name} is missing" for name in shapes if name not in arrays]
    for name, array in arrays.items():
        if name not in shapes:
            problems.append(f"{name} is unknown")
        elif array.shape != shapes[name] or array.dtype != np.float32:
            problems.append(f"{name} is {array.dtype.name} {array.shape}, not float32 {shapes[name]}")
    return "; ".join(problems[:4])


class Optimizer(Protocol):
    """What training asks of an optimizer; `tdw.optimizers` has torch's by name."""

    @property
    def settings(self) -> Hashable:
        """What decides the update of a single number beside its gradient, state and step.

        None where an update looks at more of a weight: such an optimizer can't step stacked weights.
        """
        ...

    def step(self) -> None:
        """One update of the weights along their `.grad`."""
        ...

    def state_arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next steps depend on beside the weights and their epoch, by `moment/weight`, float32."""
        ...

    def state_shapes(self, steps: int) -> Mapping[str, tuple[int, ...]]:
        """Shapes of `state_arrays` after so many steps."""
        ...

    def load_state_arrays(self, arrays: Mapping[str, npt.NDArray[Any]], *, steps: int) -> None:
        """Go on from the arrays of `steps` steps; CorruptFile when they don't fit."""
        ...


class Objective(Protocol):
    """What training asks of a family: the loss with gradients at a step, and metrics.

    It may have a `note`, one line that the progress shows, such as why a slower form is used.
    """

    @property
    def form(self) -> Form:
        """Which form of the network computes it."""
        ...

    def loss_and_gradients(self, weights: Weights, epoch: int) -> float:
        """Train loss of `weights`; sets `.grad` of each trained tensor (overwriting it).

        A pure function of the weights and the epoch, which decides the batch: replay asks again.
        """
        ...

    def metrics(self, weights: Weights) -> tuple[float, ...]:
        """The family's metrics of `weights`, in the order of `Family.metrics`; () for a family without."""
        ...


@dataclass(frozen=True)
class Metric:
    """A number that training evaluates beside the train loss, and that the history keeps.

    Attributes:
        name: column of the history, such as "test_loss".
        title: for axes and tables.
        unit: "nats", or "" for a share or a number without unit.
        log: drawn on a logarithmic axis.
    """

    name: str
    title: str
    unit: str = ""
    log: bool = False


@dataclass(frozen=True)
class Field:
    """One domain parameter of a family, for forms and messages. `default` is None where one must be given."""

    name: str
    type: type[int] | type[float] | type[str]
    default: int | float | str | None
    help: str


def typical_cost(config: VariantConfig) -> Cost:
    """What a family without a guess of its own counts with."""
    return Cost()


def no_transformer_lens(config: VariantConfig, weights: Weights) -> Any:
    """The answer of a family that TransformerLens has no model for. Raises BadConfig."""
    raise BadConfig(
        f"family {config.family} has no TransformerLens model",
        "read the weights with `v.at(epoch).weights()`",
    )


def any_layout(config: VariantConfig, state: Weights) -> str:
    """The layout of a family that knows one only."""
    return "state dict"


def no_lengths(config: VariantConfig) -> Mapping[str, int]:
    """The lengths of a family that declares no names for them."""
    return {}


def no_import(config: VariantConfig, state: Weights) -> dict[str, torch.Tensor]:
    """The answer of a family whose checkpoints can't be imported from elsewhere. Raises BadConfig."""
    raise BadConfig(f"family {config.family} imports no checkpoints", "train the variant with `tdw fill`")


@dataclass(frozen=True, eq=False)
class Family:
    """A registered group of models. Two families are equal when they are the same object.

    Attributes:
        name, title, description: `description` is Markdown.
        code_version: raised with every change to the network or the objective that can change a bit.
        default_epochs, default_checkpoints: last epoch and checkpoint schedule (items of `parse_epochs`).
        fields: the domain parameters.
        make_config: configuration from the domain parameters; BadConfig when one can't be used.
        parse_variant: configuration from a variant key; BadConfig when it is not a canonical key.
        metrics: what is evaluated beside the train loss.
        init_weights: config -> weights at epoch 0, float32 on the CPU.
        make_optimizer: (config, weights) -> Optimizer that steps the trained ones of them in place.
        objective: (config, device=, form=) -> Objective. `form` None picks the fastest; never "batch".
        probe_pass: (config, weights, device=) -> one forward pass on the probe, of the family's own type.
        probe_fingerprint: config -> fingerprint of the probe's inputs.
        open_checkpoint: (config, weight arrays, run_probe) -> the context that its analyzers read.
        recipes: its analyzers, summaries and plots, in the order in which they are shown.
        comparison: columns that compare its variants.
        overview: columns of the first page.
        explorer: a page over checkpoints; None for a family without one.
        dashboard: what its default dashboard shows: names of plots, "summaries/<name>", "explorer/<view>";
            " 8x10" behind one is its size, in columns of twelve and rows. () for its first plots.
        pure_loss: (config, device=) -> PureLoss, for training in batches; None for a family without.
        cost: config -> guessed seconds.
        to_transformer_lens: (config, weights) -> TransformerBridge.
        weights_from_state_dict: (config, state dict of another program) -> weights; BadConfig lists what does
            not fit.
        state_dict_layout: (config, state dict) -> the name of its layout, for the provenance.
        lengths: config -> the lengths that its analyzers' arrays are declared with, by name.
        measures, controls: by name, for the claims of a study.
        quantities: columns of the comparison table that reports put side by side.
        pictures: printed figures by name, beside those that every family has.
        report_sections: of the study report, written by the family.
    """

    name: str
    title: str
    description: str
    code_version: str
    default_epochs: int
    default_checkpoints: tuple[int | str, ...]
    fields: tuple[Field, ...]
    make_config: Callable[..., VariantConfig]
    parse_variant: Callable[[str], VariantConfig]
    init_weights: Callable[..., dict[str, torch.Tensor]]
    make_optimizer: Callable[..., Optimizer]
    objective: Callable[..., Objective]
    probe_pass: Callable[..., Any]
    probe_fingerprint: Callable[..., str]
    open_checkpoint: Callable[..., Context]
    metrics: tuple[Metric, ...] = ()
    recipes: tuple[Analyzer | Summary | Plot, ...] = ()
    comparison: Comparison | None = None
    overview: tuple[OverviewColumn, ...] = ()
    explorer: Explorer | None = None
    dashboard: tuple[str, ...] = ()
    pure_loss: Callable[..., PureLoss] | None = None
    cost: Callable[..., Cost] = typical_cost
    to_transformer_lens: Callable[..., Any] = no_transformer_lens
    weights_from_state_dict: Callable[..., dict[str, torch.Tensor]] = no_import
    state_dict_layout: Callable[..., str] = any_layout
    lengths: Callable[..., Mapping[str, int]] = no_lengths
    measures: Mapping[str, Measure] = field(default_factory=dict[str, "Measure"])
    controls: Mapping[str, Control] = field(default_factory=dict[str, "Control"])
    quantities: tuple[Quantity, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict[str, "Picture"])
    report_sections: tuple[Section, ...] = ()

    @property
    def outcome(self) -> Outcome | None:
        """What its variants may reach; None for a family without an outcome."""
        return self.comparison.outcome if self.comparison else None

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Columns of the history beside epoch and train_loss."""
        return tuple(metric.name for metric in self.metrics)
