"""The configuration of one variant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from tdw.families.keyed_config import SHARED_KEY
from tdw.families.keys import KeyField
from tdw.families.transformer import TransformerConfig
from tdw.families.transformer.cost import require_affordable
from tdw.families.transformer.sequence_config import MLP_KEY, SHAPE_KEY, SequenceConfig
from tdw.optimizers import Name
from tdw.parameters import require_whole_numbers

DEFAULT_EPOCHS = 1_000

_LIMITS = {"n_names": (2, 64), "seed": (0, 2**63 - 1)}
KEY = (
    KeyField("n_layers", "layers", "blocks", always=True),
    KeyField("n_heads", "heads", "heads per block", always=True),
    KeyField("init_std", "std", "standard deviation of every weight at epoch 0", always=True),
    KeyField("seed", "s", "seed of the initialization", always=True),
    KeyField("n_names", "names", "names"),
    KeyField("d_model", "width", "width of the residual stream"),
    *MLP_KEY,
    *SHAPE_KEY,
    *SHARED_KEY,
)


@dataclass(frozen=True)
class Config(SequenceConfig):
    """One variant: all sequences in every batch; by default attention only, no layer norm, learned positions.

    Args:
        seed: of the initialization.
        n_layers, n_heads, d_model: see TransformerConfig; the rest of it see SequenceConfig.
        n_names: names; there are 2 n (n - 1) sequences.
        init_std: standard deviation of every weight at epoch 0; whether one layer is enough depends on it.
        optimizer, lr, weight_decay, beta1, beta2: see OptimizerConfig; the rest see KeyedConfig.

    Raises:
        BadConfig: a value that can't be used.
    """

    seed: int
    n_layers: int = 2
    n_heads: int = 1
    d_model: int = 128
    n_names: int = 6
    init_std: float = 0.1
    optimizer: Name = "AdamW"
    lr: float = 1e-3
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98

    family: ClassVar[str] = "symbolic_ioi"
    named: ClassVar[Sequence[KeyField]] = KEY
    later: ClassVar[tuple[str, ...]] = (*SequenceConfig.later, *(field.name for field in MLP_KEY))
    n_ctx: ClassVar[int] = 5

    def __post_init__(self) -> None:
        require_whole_numbers(self, _LIMITS)
        self.require_usable()
        sequences = 2 * self.n_names * (self.n_names - 1)
        require_affordable(self.transformer, batch_size=sequences, steps=DEFAULT_EPOCHS)

    def make_transformer(self) -> TransformerConfig:
        """Tokens are the names, <BOS> and <MID>; outputs are the names."""
        return TransformerConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_vocab=self.n_names + 2,
            n_ctx=self.n_ctx,
            d_vocab_out=self.n_names,
            init_std=self.init_std,
            loss="last",
            **self.shape_fields,
        )


def token_labels(config: Config) -> tuple[str, ...]:
    """What the tokens are called: A, B, C ... for up to 26 names, N0, N1 ... for more; <BOS>, <MID>."""
    n = config.n_names
    names = [chr(ord("A") + i) for i in range(n)] if n <= 26 else [f"N{i}" for i in range(n)]
    return (*names, "<BOS>", "<MID>")
