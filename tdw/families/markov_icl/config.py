"""The configuration of one variant."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.config import InitScheme, Normalization
from tdw.optimizers import Name, OptimizerConfig
from tdw.parameters import require_whole_numbers

_LIMITS = {
    "n_states": (2, 100),
    "length": (3, 2_048),
    "batch_size": (1, 65_536),
    "seed": (0, 2**63 - 1),
    "data_seed": (0, 2**63 - 1),
}


@dataclass(frozen=True)
class Config:
    """One variant.

    Args:
        seed: of the initialization.
        n_states: states of the chains, which are the tokens.
        data_seed: of the stream of training sequences; every step has its own.
        length: symbols per sequence; the model reads all but the last and predicts all but the first.
        batch_size: fresh sequences, each of a chain of its own, per step.
        n_layers, n_heads, d_model, d_mlp, normalization, init_scheme, init_std: see TransformerConfig;
            positions are learned.
        optimizer, lr, weight_decay, beta1, beta2, clip: see OptimizerConfig.

    Raises:
        BadConfig: a value that can't be used.
    """

    seed: int
    n_states: int = 2
    data_seed: int = 0
    length: int = 100
    batch_size: int = 64
    n_layers: int = 2
    n_heads: int = 1
    d_model: int = 32
    d_mlp: int = 0
    normalization: Normalization | None = None
    init_scheme: InitScheme = "torch"
    init_std: float | None = None
    optimizer: Name = "AdamW"
    lr: float = 3e-3
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float | None = 1.0

    family: ClassVar[str] = "markov_icl"

    def __post_init__(self) -> None:
        require_whole_numbers(self, _LIMITS)
        # Whatever else can't be used is refused here, not when training starts.
        _ = self.transformer, self.optimizer_config

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture."""
        return TransformerConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_vocab=self.n_states,
            n_ctx=self.length - 1,
            d_mlp=self.d_mlp,
            normalization=self.normalization,
            init_scheme=self.init_scheme,
            init_std=self.init_std,
        )

    @property
    def optimizer_config(self) -> OptimizerConfig:
        """The optimizer's settings."""
        return OptimizerConfig(
            name=self.optimizer,
            lr=self.lr,
            weight_decay=self.weight_decay,
            betas=(self.beta1, self.beta2),
            momentum=0.95 if self.optimizer == "Muon" else 0.0,
            clip=self.clip,
        )

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            **dataclasses.asdict(self),
            "transformer": self.transformer.to_dict(),
            "optimizer_config": self.optimizer_config.to_dict(),
        }
