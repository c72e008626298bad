"""What a summary declares, and what its function is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.recipes.analyzer import Metadata
from tdw.recipes.context import Arrays

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.family import VariantConfig

HISTORY = "history"


@dataclass(frozen=True)
class NoParameters:
    """None: the table has nothing to set."""


@dataclass(frozen=True)
class Inputs:
    """What a summary's function is given.

    Attributes:
        config: of the variant.
        epochs: ascending; those of which there is every artifact needed.
        artifacts: analyzer name -> arrays at each of `epochs`.
        history: columns epoch, train_loss and the family's metrics; None where the summary needs none.
    """

    config: VariantConfig
    epochs: tuple[int, ...]
    artifacts: Mapping[str, tuple[Arrays, ...]]
    history: pd.DataFrame | None = None

    def stack(self, analyzer: str, array: str) -> npt.NDArray[Any]:
        """One array over epochs: (epochs, ...)."""
        return np.stack([arrays[array] for arrays in self.artifacts[analyzer]])

    def table(self, columns: Mapping[str, Any]) -> pd.DataFrame:
        """A table with one row per epoch: the epochs and these columns."""
        import pandas as pd

        return pd.DataFrame({"epoch": np.array(self.epochs, np.int64), **columns})


def describe_nothing(table: pd.DataFrame) -> Metadata:
    """No numbers beyond what every summary has."""
    return {}


@dataclass(frozen=True)
class Summary:
    """One table of a variant, and what must be known about it.

    Attributes:
        name, title, description: `description` is Markdown: columns, rule, how to read it.
        code_version: changed by hand whenever the same artifacts would give another table.
        needs: analyzers, or "history".
        function: (inputs, parameters) -> table.
        parameters: frozen dataclass; its defaults are the summary's.
        describe: table -> a few numbers for people.
    """

    name: str
    title: str
    description: str
    code_version: str
    needs: tuple[str, ...]
    function: Callable[[Inputs, Any], pd.DataFrame]
    parameters: type[Any] = NoParameters
    describe: Callable[[pd.DataFrame], Metadata] = describe_nothing

    @property
    def analyzers(self) -> tuple[str, ...]:
        """The analyzers it needs."""
        return tuple(name for name in self.needs if name != HISTORY)
