"""The configuration of one variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from tdw.families.keyed_config import SHARED_KEY
from tdw.families.keys import KeyField
from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.config import InitScheme
from tdw.families.transformer.cost import require_affordable
from tdw.families.transformer.sequence_config import MLP_KEY, SHAPE_KEY, SequenceConfig
from tdw.optimizers import Name
from tdw.parameters import require_whole_numbers

DEFAULT_EPOCHS = 2_000
PROBE_SEQUENCES = 512

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
    *MLP_KEY,
    KeyField("init_scheme", "init-", "torch, normal or gpt2"),
    KeyField("init_std", "std", "standard deviation at epoch 0 of normal and gpt2, 0 for the default"),
    *SHAPE_KEY,
    *SHARED_KEY,
)


@dataclass(frozen=True)
class Config(SequenceConfig):
    """One variant.

    Args:
        seed: of the initialization.
        n_states: states of the chains, which are the tokens.
        data_seed: of the stream of training sequences; every step has its own.
        length: symbols per sequence; the model reads all but the last and predicts all but the first.
        batch_size: fresh sequences, each of a chain of its own, per step.
        n_layers, n_heads, d_model, init_scheme: see TransformerConfig; the rest of it see SequenceConfig.
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
    later: ClassVar[tuple[str, ...]] = tuple(name for name in SequenceConfig.later if name != "clip")

    def __post_init__(self) -> None:
        require_whole_numbers(self, _LIMITS)
        self.require_usable()
        symbols = max(self.batch_size, PROBE_SEQUENCES) * self.length
        require_affordable(
            self.transformer,
            batch_size=self.batch_size,
            steps=DEFAULT_EPOCHS,
            probe=PROBE_SEQUENCES,
            # Per symbol: where each state would go, compared with each bound, and counted; see data.walk.
            data_bytes=symbols * self.n_states * (self.n_states + 24),
        )

    def make_transformer(self) -> TransformerConfig:
        """Tokens are the states; the last one of a sequence is only predicted."""
        return TransformerConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_vocab=self.n_states,
            n_ctx=self.length - 1,
            init_scheme=self.init_scheme,
            init_std=self.init_std or None,
            **self.shape_fields,
        )
