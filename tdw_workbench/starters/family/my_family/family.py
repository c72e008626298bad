"""What a variant is, and the declaration of the family. Importing this loads no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from tdw.families.keyed_config import SHARED_KEY, KeyedConfig
from tdw.families.keys import KeyField, fields_of, normalize_numbers
from tdw.families.model_functions import model_functions
from tdw.families.transformer import TransformerConfig, context, exchange
from tdw.families.transformer.cost import require_affordable
from tdw.families.transformer.recipes import RECIPES
from tdw.optimizers import Name
from tdw.parameters import require_whole_numbers
from tdw.recipes.family import Family, Metric

from .recipes import COMPARISON, FIGURE, OFFSET, OVERVIEW, TABLE

STEPS = 200

# Every field of a variant, and what stands before its value in a key such as s0_lag3. A key names what
# differs from the defaults, so a default must not change once variants have been trained.
KEY = (
    KeyField("seed", "s", "seed of the initialization and of the batches", always=True),
    KeyField("lag", "lag", "how many positions back the answer stands"),
    KeyField("n_tokens", "tokens", "different tokens"),
    KeyField("length", "len", "tokens per sequence"),
    KeyField("batch_size", "batch", "fresh sequences per step"),
    KeyField("n_layers", "layers", "blocks"),
    KeyField("n_heads", "heads", "heads per block"),
    KeyField("d_model", "width", "width of the residual stream"),
    *SHARED_KEY,  # optimizer, learning rate and so on
)


@dataclass(frozen=True)
class Config(KeyedConfig):
    """One variant: its fields with their defaults. BadConfig for a value that can't be used."""

    seed: int
    lag: int = 2
    n_tokens: int = 5
    length: int = 12
    batch_size: int = 64
    n_layers: int = 1
    n_heads: int = 2
    d_model: int = 32
    optimizer: Name = "AdamW"
    lr: float = 1e-2
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98

    family: ClassVar[str] = "my_family"
    named: ClassVar[Sequence[KeyField]] = KEY

    def __post_init__(self) -> None:
        most = self.length - 1 if isinstance(self.length, int) else 1
        limits = {"seed": (0, 2**63 - 1), "length": (2, 512), "lag": (1, most), "n_tokens": (2, 1000)}
        require_whole_numbers(self, limits)
        normalize_numbers(self)
        self.require_replicate()
        # What no machine can train, and a wrong setting of the optimizer, are refused here.
        require_affordable(self.transformer, batch_size=self.batch_size, steps=STEPS)
        _ = self.optimizer_config

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture; see TransformerConfig for all that it may have."""
        return TransformerConfig(
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_model=self.d_model,
            d_vocab=self.n_tokens,
            n_ctx=self.length,
            loss="mask",
        )

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight, by name."""
        return self.transformer.weight_shapes

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            **self.values(),
            "transformer": self.transformer.to_dict(),
            "optimizer_config": self.optimizer_config.to_dict(),
        }


FAMILY = Family(
    name=Config.family,
    title="My family",
    description="A small transformer repeats the token that stood `lag` positions before.",
    code_version="1",  # raise it with every change of model.py that changes what is trained
    default_epochs=STEPS,
    default_checkpoints=("0:200:10",),
    fields=fields_of(Config, KEY),
    make_config=Config,
    parse_variant=Config.parse,
    open_checkpoint=context.TransformerContext,
    **model_functions(
        f"{__package__}.model",
        metrics=(Metric("test_loss", "test loss", unit="nats", log=True), Metric("accuracy", "accuracy")),
    ),
    # The transformer kit's attention patterns, head scores, logit lens ... and the family's own.
    recipes=(*RECIPES, OFFSET, TABLE, FIGURE),
    comparison=COMPARISON,
    overview=OVERVIEW,
    to_transformer_lens=exchange.to_transformer_lens,
    weights_from_state_dict=exchange.weights_from_state_dict,
    state_dict_layout=exchange.state_dict_layout,
    lengths=context.lengths,
)
