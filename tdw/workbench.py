"""The notebook API (R4): open a store, a variant, an epoch, an artifact, a plot, in a line each.

    import tdw
    v = tdw.open().variant("p113_s999_d598")
    v.at(5000).artifact("coarseness")["neuron_fft_ratio_no_dc"]

Reads only, and checks what it reads. Nothing here starts Dagster.
"""

# plotly ships no types, and numpy arrays have none for torch.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tdw.errors import BadConfig, NotFound
from tdw.families import FAMILIES, Family
from tdw.families.base import VariantConfig
from tdw.store import Address, Artifact, Provenance, Store, TableAddress
from tdw.store.layout import CHECKPOINTS

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go
    import torch

DEFAULT_STORE = Path(__file__).resolve().parents[1] / "store"
HISTORY = "history"


def default_store() -> str:
    """The store that is meant when none is named: $TDW_STORE, else the folder `store` of the project."""
    return os.environ.get("TDW_STORE") or str(DEFAULT_STORE)


def open_workbench(store: str | Path | Store | None = None) -> Workbench:
    """Open a store for reading; public as `tdw.open`.

    Args:
        store: a folder, an fsspec URL or an open `Store`; None for $TDW_STORE, else the default folder.
    """
    return Workbench(store if isinstance(store, Store) else Store(store or default_store()))


@dataclass(frozen=True)
class Workbench:
    """Everything in one store."""

    store: Store

    def variants(self) -> list[str]:
        """Keys of the variants that have anything stored."""
        return sorted(key for family in FAMILIES for key in self.store.variants(family.name))

    def variant(self, key: str) -> Variant:
        """A variant by its key.

        Raises:
            BadConfig: the key is no variant's.
            NotFound: nothing of it is stored; lists what is.
        """
        for family in FAMILIES:
            if key in self.store.variants(family.name):
                return Variant(self.store, family, family.parse_variant(key))
        _parse(key)
        have = ", ".join(self.variants()) or "nothing"
        raise NotFound(
            f"{self.store.root}: holds no variant {key}", f"train it with `tdw fill`; there is: {have}"
        )

    def comparison(self, name: str, *, family: Family = FAMILIES[0]) -> pd.DataFrame:
        """A table over the variants of a family, such as `comparison`.

        Raises:
            NotFound, CorruptFile: each names the file.
        """
        return self.store.read_table(TableAddress(family.name, None, name))

    def plot(self, name: str, *, family: Family = FAMILIES[0]) -> go.Figure:
        """A figure over the variants of a family, built from what is stored now."""
        from tdw.plots.render import comparison_figure

        return comparison_figure(self.store, family, name)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<li><code>{key}</code>: {len(self.variant(key).epochs())} checkpoints</li>"
            for key in self.variants()
        )
        return f"<b>Workbench</b> {self.store.root}<ul>{rows}</ul>"


@dataclass(frozen=True)
class Variant:
    """One trained model: `config` names all its parameters."""

    store: Store
    family: Family
    config: VariantConfig

    @property
    def key(self) -> str:
        """Its key, such as `p113_s999_d598`."""
        return self.config.key

    def epochs(self) -> list[int]:
        """Epochs of which there is a checkpoint, ascending."""
        return self.store.epochs(self.family.name, self.key)

    def at(self, epoch: int) -> Checkpoint:
        """The checkpoint of an epoch.

        Raises:
            NotFound: there is none; names the nearest.
        """
        epochs = self.epochs()
        if epoch not in epochs:
            near = (
                f"the nearest is {min(epochs, key=lambda e: abs(e - epoch))}"
                if epochs
                else "there is none yet"
            )
            raise NotFound(
                f"{self.key} has no checkpoint of epoch {epoch}",
                f"{near}; train it with `tdw fill --variant {self.key} --epochs {epoch}`",
            )
        return Checkpoint(self, epoch)

    def history(self) -> pd.DataFrame:
        """Table with a row an epoch: epoch, train_loss, test_loss (nats), test_accuracy (0-1).

        Each is of the weights after that many optimizer steps; test metrics are NaN where not evaluated.
        """
        return self.store.read_table(TableAddress(self.family.name, self.key, HISTORY))

    def summary(self, name: str) -> pd.DataFrame:
        """A table over the variant's epochs, such as `coarseness`, `frequencies`, `grokking`.

        Raises:
            BadConfig: no summary of that name is registered; lists those that are.
            NotFound, CorruptFile: each names the file.
        """
        from tdw.summaries.registry import get_summary

        return self.store.read_table(TableAddress(self.family.name, self.key, get_summary(name).name))

    def plot(self, name: str) -> go.Figure:
        """A Plotly figure of this variant, such as `mean_coarseness`, built from what is stored now.

        Raises:
            BadConfig: no plot of that name is registered; lists those that are.
            NotFound, CorruptFile: an artifact or summary that it shows; each names the file.
        """
        from tdw.plots.render import variant_figure

        return variant_figure(self.store, self.family, self.key, name)

    def _repr_html_(self) -> str:
        epochs = self.epochs()
        span = f"epochs {epochs[0]} to {epochs[-1]}" if epochs else "not trained yet"
        return f"<b>{self.key}</b> ({self.family.title}): {len(epochs)} checkpoints, {span}"


@dataclass(frozen=True)
class Checkpoint:
    """The weights after exactly `epoch` optimizer steps, and what the analyzers found in them."""

    variant: Variant
    epoch: int

    def weights(self) -> dict[str, torch.Tensor]:
        """Weights under TransformerLens (HookedTransformer) names and shapes, float32 on the CPU."""
        import torch

        return {
            name: torch.from_numpy(array.copy()) for name, array in self._read(CHECKPOINTS).arrays.items()
        }

    def artifact(self, analyzer: str) -> dict[str, npt.NDArray[Any]]:
        """Arrays by name that an analyzer made of this checkpoint.

        Raises:
            BadConfig: no analyzer of that name is registered; lists those that are.
            NotFound, CorruptFile: each names the file.
        """
        from tdw.analysis.registry import get_analyzer

        return self._read(get_analyzer(analyzer).name).arrays

    def provenance(self, kind: str = CHECKPOINTS) -> Provenance:
        """Where the checkpoint, or an analyzer's artifact of it, comes from."""
        return self._read(kind).provenance

    def transformer_lens(self) -> Any:
        """A `TransformerBridge` with these weights, for hooks, caches and patching."""
        return self.variant.family.to_transformer_lens(self.variant.config, self.weights())

    def _read(self, kind: str) -> Artifact:
        v = self.variant
        return v.store.read(Address(v.family.name, v.key, kind, self.epoch))


def _parse(key: str) -> VariantConfig:
    """The configuration a key names, by the first family that can read it."""
    refusals: list[BadConfig] = []
    for family in FAMILIES:
        try:
            return family.parse_variant(key)
        except BadConfig as error:
            refusals.append(error)
    raise refusals[0]
