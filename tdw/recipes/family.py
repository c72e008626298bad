"""What every family provides: a declaration, and the few things training and analysis ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from tdw.recipes.measures import Control, Measure, Picture, Quantity, Section

Weights = Mapping[str, "torch.Tensor"]
"""Weights by TransformerLens (HookedTransformer) name, float32."""

Form = Literal["numba", "plain"]
"""How the network is computed. Same function, not the same bits: a replay uses the form of its state."""


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

    def to_dict(self) -> dict[str, Any]:
        """The full resolved configuration, JSON-able."""
        ...


@dataclass(frozen=True)
class Adam:
    """AdamW's settings (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

    lr: float
    weight_decay: float
    betas: tuple[float, float]
    eps: float


class Objective(Protocol):
    """What training asks of a family: full-batch loss with gradients, and a test pass."""

    @property
    def form(self) -> Form:
        """Which form of the network computes it."""
        ...

    def loss_and_gradients(self, weights: Weights) -> float:
        """Train loss of `weights`; sets `.grad` of each trained tensor (overwriting it)."""
        ...

    def test_metrics(self, weights: Weights) -> tuple[float, float]:
        """Test loss (nats) and test accuracy (0-1) of `weights`."""
        ...


@dataclass
class ProbePass:
    """One forward pass of the probe, as numpy arrays.

    Attributes:
        mlp_post: post-activations at the last position, float32 (d_mlp, p, p), C-contiguous, indexed
            [neuron, a, b].
        attention: attention of the last position, float32 (n_heads, 3, p, p), indexed
            [head, source position, a, b].
    """

    mlp_post: npt.NDArray[np.float32]
    attention: npt.NDArray[np.float32]
    compute_logits: Callable[[], npt.NDArray[np.float32]] = field(repr=False)

    @cached_property
    def logits(self) -> npt.NDArray[np.float32]:
        """Logits of every pair, float32 (p * p, p), rows a-major. Computed on first use."""
        return self.compute_logits()


@dataclass(frozen=True)
class ProbeLabels:
    """What the probe's inputs ask for, row by row of `ProbePass.logits`.

    Attributes:
        answers: the right output, int64 (n,).
        train: whether the variant trains on the input, bool (n,).
    """

    answers: npt.NDArray[np.int64]
    train: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Field:
    """One domain parameter of a family, for forms and messages. `default` is None where one must be given."""

    name: str
    type: type[int] | type[float]
    default: int | float | None
    help: str


@dataclass(frozen=True)
class Family:
    """A registered group of models.

    Attributes:
        name, title, description: `description` is Markdown.
        asset_prefix: first parts of the family's asset keys; () for the first family.
        default_epochs, default_checkpoints: last epoch and checkpoint schedule (items of `parse_epochs`).
        analyzers: names of the analyzers that apply.
        fields: the domain parameters.
        make_config: configuration from the domain parameters; BadConfig when one can't be used.
        parse_variant: configuration from a variant key; BadConfig when it is not a canonical key.
        trained, optimizer: names of the trained weights, in the optimizer's order, and its settings.
        init_weights: config -> weights at epoch 0, float32 on the CPU.
        objective: (config, device=, form=) -> Objective. `form` None picks the fastest there is.
        probe_pass: (config, weights, device=) -> ProbePass.
        probe_fingerprint: config -> fingerprint of the probe's tokens.
        probe_labels: config -> ProbeLabels: answers, and which inputs train.
        to_transformer_lens: (config, weights) -> TransformerBridge.
        weights_from_state_dict: (config, state dict of a HookedTransformer) -> weights; BadConfig lists what
            does not fit.
        measures, controls: by name, for the claims of a study.
        quantities: columns of the comparison table that reports put side by side.
        pictures: printed figures by name, beside those that every family has.
        report_sections: of the study report, written by the family.
    """

    name: str
    title: str
    description: str
    asset_prefix: tuple[str, ...]
    default_epochs: int
    default_checkpoints: tuple[int | str, ...]
    analyzers: tuple[str, ...]
    fields: tuple[Field, ...]
    trained: tuple[str, ...]
    optimizer: Adam
    make_config: Callable[..., Any]
    parse_variant: Callable[[str], Any]
    init_weights: Callable[[Any], dict[str, torch.Tensor]]
    objective: Callable[..., Objective]
    probe_pass: Callable[..., ProbePass]
    probe_fingerprint: Callable[[Any], str]
    probe_labels: Callable[[Any], ProbeLabels]
    to_transformer_lens: Callable[[Any, Weights], Any]
    weights_from_state_dict: Callable[[Any, Weights], dict[str, torch.Tensor]]
    measures: Mapping[str, Measure] = field(default_factory=dict[str, "Measure"], hash=False)
    controls: Mapping[str, Control] = field(default_factory=dict[str, "Control"], hash=False)
    quantities: tuple[Quantity, ...] = ()
    pictures: Mapping[str, Picture] = field(default_factory=dict[str, "Picture"], hash=False)
    report_sections: tuple[Section, ...] = ()
