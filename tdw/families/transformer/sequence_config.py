"""What the configurations of the kit's families share: the architecture's fields, and their record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, cast, get_args

from tdw.errors import BadConfig
from tdw.families.keyed_config import KeyedConfig
from tdw.families.keys import KeyField, normalize_numbers
from tdw.families.transformer.config import Activation, Normalization, Positions, TransformerConfig

MLP_KEY = (
    KeyField("d_mlp", "mlp", "neurons per block, 0 for attention only"),
    KeyField("normalization", "norm-", f"none, {' or '.join(get_args(Normalization))}"),
)
SHAPE_KEY = (
    KeyField("d_head", "dhead", "width of a head, 0 for d_model / n_heads"),
    KeyField("activation", "act-", f"of the neurons: {', '.join(get_args(Activation))}"),
    KeyField("positions", "pos-", f"embedding of positions: {' or '.join(get_args(Positions))}"),
)


@dataclass(frozen=True, kw_only=True)
class SequenceConfig(KeyedConfig, ABC):
    """Base of a frozen dataclass with fields n_heads and d_model that makes a `transformer` of them.

    Args:
        d_head: width of a head; 0 stands for d_model / n_heads, and that width given as a number becomes 0.
        d_mlp: neurons per block, 0 for attention only.
        activation: of the neurons; "relu" where there are none.
        normalization: "none", "LN" or "LNPre".
        positions: "learned" or "none".
    """

    d_head: int = 0
    d_mlp: int = 0
    activation: Activation = "relu"
    normalization: str = "none"
    positions: Positions = "learned"

    family: ClassVar[str]
    later: ClassVar[tuple[str, ...]] = (*KeyedConfig.later, *(field.name for field in SHAPE_KEY))

    @abstractmethod
    def make_transformer(self) -> TransformerConfig:
        """The architecture that the fields describe."""

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture."""
        return self._transformer

    @cached_property
    def _transformer(self) -> TransformerConfig:
        return self.make_transformer()

    @property
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by HookedTransformer name."""
        return self.transformer.weight_shapes

    @property
    def shape_fields(self) -> dict[str, Any]:
        """The fields of this class, as arguments of TransformerConfig."""
        none = self.normalization == "none"
        return {
            "d_head": self.d_head,
            "d_mlp": self.d_mlp,
            "activation": self.activation,
            "normalization": cast("Normalization | None", None if none else self.normalization),
            "positions": self.positions,
        }

    def require_usable(self) -> None:
        """Make whole numbers floats where fields are, and one width one key; refuse what can't be used.

        Raises:
            BadConfig: a value that can't be used, an activation without neurons among them: two keys never
                name one model.
        """
        normalize_numbers(self)
        self.require_replicate()
        shape = self.transformer
        if self.d_head and self.d_head * shape.n_heads == shape.d_model:
            object.__setattr__(self, "d_head", 0)
        if self.activation != "relu" and not self.d_mlp:
            raise BadConfig(
                f"activation is {self.activation!r}, but there are no neurons: d_mlp is 0",
                "leave activation out, or give d_mlp",
            )
        _ = self.optimizer_config

    def to_dict(self) -> dict[str, Any]:
        """Everything that decides the bits of this variant's training, JSON-able."""
        return {
            "family": self.family,
            **self.values(),
            "transformer": self.transformer.to_dict(),
            "optimizer_config": self.optimizer_config.to_dict(),
        }
