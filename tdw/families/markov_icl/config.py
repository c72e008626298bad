"""The configuration of one variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from tdw.families.keyed_config import SHARED_KEY, KeyedConfig
from tdw.families.keys import KeyField, normalize_numbers
from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.config import InitScheme, Normalization
from tdw.families.transformer.cost import require_affordable
from tdw.optimizers import Name
from tdw.parameters import require_whole_numbers

DEFAULT_EPOCHS = 2_000

_LIMITS = {
    "n_states": (2, 100),
    "length": (3, 2_048),
    "batch_size": (1, 65_536),
    "seed": (0, 2**63 - 1),
    "data_seed": (0, 2**63 - 1),
}
KEY = (
    KeyField("n_states", "k", "states of the chains, which are the tokens", always=True),
    KeyField("seed", "s", "seed of the initialization", always=True),
    KeyField("data_seed", "d", "seed of the stream of training sequences"),
    KeyField("length", "len", "symbols per sequence"),
    KeyField("batch_size", "batch", "fresh sequences per step"),
    KeyField("n_layers", "layers", "blocks"),
    KeyField("n_heads", "heads", "heads per block"),
    KeyField("d_model", "width", "width of the residual stream"),
    KeyField("d_mlp", "mlp", "neurons per block, 0 for attention only"),
    KeyField("normalization", "norm-", "none, LN or LNPre"),
    KeyField("init_scheme", "init-", "torch, normal or gpt2"),
    KeyField("init_std", "std", "standard deviation at epoch 0 of normal and gpt2, 0 for the default"),
    *SHARED_KEY,
)


@dataclass(frozen=True)
class Config(KeyedConfig):
    """One variant.

    Args:
        seed: of the initialization.
        n_states: states of the chains, which are the tokens.
        data_seed: of the stream of training sequences; every step has its own.
        length: symbols per sequence; the model reads all but the last and predicts all but the first.
        batch_size: fresh sequences, each of a chain of its own, per step.
        n_layers, n_heads, d_model, d_mlp, init_scheme: see TransformerConfig; positions are learned.
        normalization: "none", "LN" or "LNPre".
        init_std: of the schemes "normal" and "gpt2"; 0 stands for their default.
        optimizer, lr, weight_decay, beta1, beta2: see OptimizerConfig; the rest see KeyedConfig.

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
    normalization: str = "none"
    init_scheme: InitScheme = "torch"
    init_std: float = 0.0
    optimizer: Name = "AdamW"
    lr: float = 3e-3
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    clip: float = field(default=1.0, kw_only=True)

    family: ClassVar[str] = "markov_icl"
    named: ClassVar[Sequence[KeyField]] = KEY
    later: ClassVar[tuple[str, ...]] = ("eps", "momentum", "replicate")

    def __post_init__(self) -> None:
        require_whole_numbers(self, _LIMITS)
        normalize_numbers(self)
        self.require_replicate()
        # Whatever else can't be used is refused here, not when training starts.
        require_affordable(self.transformer, batch_size=self.batch_size, steps=DEFAULT_EPOCHS)
        _ = self.optimizer_config

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture."""
        none = self.normalization == "none"
        return TransformerConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_vocab=self.n_states,
            n_ctx=self.length - 1,
            d_mlp=self.d_mlp,
            normalization=cast("Normalization | None", None if none else self.normalization),
            init_scheme=self.init_scheme,
            init_std=self.init_std or None,
        )

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by HookedTransformer name."""
        return self.transformer.weight_shapes

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            **self.values(),
            "transformer": self.transformer.to_dict(),
            "optimizer_config": self.optimizer_config.to_dict(),
        }
