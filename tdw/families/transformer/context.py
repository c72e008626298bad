"""One checkpoint of a transformer, as the kit's analyzers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from tdw.families.transformer.config import TransformerConfig
from tdw.recipes.context import Arrays

if TYPE_CHECKING:
    from tdw.families.transformer.probe import ProbePass


class HasTransformer(Protocol):
    """A family's configuration of which a part is the architecture."""

    @property
    def transformer(self) -> TransformerConfig:
        """The architecture."""
        ...


@dataclass
class TransformerContext:
    """One checkpoint.

    Attributes:
        config: the variant's.
        weights: by HookedTransformer name.
        run_probe: the forward pass; made once, when the first analyzer asks for it.
        results: arrays of the analyzers that are done.
    """

    config: HasTransformer
    weights: Arrays
    run_probe: Callable[[], ProbePass]
    results: dict[str, Arrays] = field(default_factory=dict[str, Arrays])

    @cached_property
    def probe(self) -> ProbePass:
        """The pass of the fixed sequences."""
        return self.run_probe()

    @cached_property
    def counted(self) -> slice:
        """The positions whose prediction counts: all, or the last one."""
        return slice(-1, None) if self.config.transformer.loss == "last" else slice(None)


def lengths(config: HasTransformer) -> dict[str, int]:
    """Lengths that the kit's analyzers declare their arrays with, and its explorer its slices."""
    shape = config.transformer
    return {
        "n_layers": shape.n_layers,
        "n_layers + 1": shape.n_layers + 1,
        "n_heads": shape.n_heads,
        "all_heads": shape.n_layers * shape.n_heads,
        "n_ctx": shape.n_ctx,
        "components": len(shape.components),
        "counted": 1 if shape.loss == "last" else shape.n_ctx,
    }
