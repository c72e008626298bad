"""One variant and one of its checkpoints, as the notebook API opens them."""

# plotly ships no types, and numpy arrays have none for torch.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal

from tdw.errors import BadConfig, NotFound
from tdw.families import Family
from tdw.html_repr import Arrays, html_fields
from tdw.recipes.family import VariantConfig
from tdw.store import Address, Artifact, Provenance, Store, TableAddress
from tdw.store.layout import CHECKPOINTS
from tdw.training.live import Running, read_running

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

HISTORY = "history"


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

    def at(self, epoch: int | Literal["last"]) -> Checkpoint:
        """The checkpoint of an epoch, or the last one that is there.

        Raises:
            BadConfig: that is no epoch.
            NotFound: there is no such checkpoint; names the nearest.
        """
        epochs = self.epochs()
        if not epochs:
            raise NotFound(
                f"{self.key} has no checkpoint yet", f"train it with `tdw fill --variant {self.key}`"
            )
        wanted = epochs[-1] if epoch == "last" else epoch
        if wanted in epochs:
            return Checkpoint(self, int(wanted))
        if not isinstance(wanted, Integral) or wanted < 0:
            raise BadConfig(
                f"epoch is {wanted!r}", 'epochs count from 0: give a whole number, or "last" for the last one'
            )
        raise NotFound(
            f"{self.key} has no checkpoint of epoch {wanted}",
            f"the nearest is {min(epochs, key=lambda e: abs(e - wanted))}; "
            f"train it with `tdw fill --variant {self.key} --epochs {wanted}`",
        )

    @property
    def running(self) -> Running | None:
        """How far the variant's training is, with its history so far; None where it does not train now."""
        return read_running(self.store, self.family, self.key)

    def history(self) -> pd.DataFrame:
        """Table with a row per epoch: epoch, train_loss and the family's metrics, such as test_loss (nats).

        Each is of the weights after that many optimizer steps; metrics are NaN where they were not evaluated.
        While the variant trains it is the history so far: `attrs["running"]` then says how far that is.
        """
        running = self.running
        if running is not None:
            table = running.table()
            table.attrs["running"] = str(running)
            return table
        return self.store.read_table(TableAddress(self.family.name, self.key, HISTORY))

    def summary(self, name: str) -> pd.DataFrame:
        """A table over the variant's epochs, such as `coarseness`, `frequencies`, `grokking`.

        Raises:
            BadConfig: no summary of that name is registered; lists those that are.
            NotFound, CorruptFile: each names the file.
        """
        from tdw.recipes.catalog import catalog_of

        found = catalog_of(self.family).summary(name)
        return self.store.read_table(TableAddress(self.family.name, self.key, found.name))

    def plot(self, name: str) -> go.Figure:
        """A Plotly figure of this variant, such as `mean_coarseness`, built from what is stored now.

        Raises:
            BadConfig: no plot of that name is registered; lists those that are.
            NotFound, CorruptFile: an artifact or summary that it shows; each names the file.
        """
        from tdw.making.figures import variant_figure

        return variant_figure(self.store, self.family, self.key, name)

    def summaries(self) -> list[str]:
        """Names of the summaries that are stored."""
        from tdw.recipes.catalog import catalog_of

        names = [summary.name for summary in catalog_of(self.family).summaries]
        return [n for n in names if self.store.exists(TableAddress(self.family.name, self.key, n))]

    def _repr_html_(self) -> str:
        from tdw.recipes.catalog import catalog_of

        epochs = self.epochs()
        span = f"epochs {epochs[0]} to {epochs[-1]}" if epochs else "not trained yet"
        analyzed = {
            name: len(self.store.epochs(self.family.name, self.key, name))
            for name in catalog_of(self.family).analyzer_names
        }
        running = self.running
        found = {
            **({"now": str(running)} if running else {}),
            "checkpoints": f"{len(epochs)}, {span}",
            "analyzed": ", ".join(f"{name} ({n})" for name, n in analyzed.items() if n) or "nothing",
            "summaries": ", ".join(self.summaries()) or "none",
        }
        return html_fields(f"{self.key}: {self.family.title}", found)


@dataclass(frozen=True)
class Checkpoint:
    """The weights after exactly `epoch` optimizer steps, and what the analyzers found in them."""

    variant: Variant
    epoch: int

    def weights(self) -> Arrays:
        """Weights under TransformerLens (HookedTransformer) names and shapes, float32 on the CPU."""
        import torch

        arrays = self._read(CHECKPOINTS).arrays
        return Arrays({name: torch.from_numpy(array.copy()) for name, array in arrays.items()})

    def artifact(self, analyzer: str) -> Arrays:
        """Arrays by name that an analyzer made of this checkpoint.

        Raises:
            BadConfig: no analyzer of that name is registered; lists those that are.
            NotFound, CorruptFile: each names the file.
        """
        from tdw.recipes.catalog import catalog_of

        return Arrays(self._read(catalog_of(self.variant.family).analyzer(analyzer).name).arrays)

    def provenance(self, kind: str = CHECKPOINTS) -> Provenance:
        """Where the checkpoint, or an analyzer's artifact of it, comes from."""
        return self._read(kind).provenance

    def transformer_lens(self) -> Any:
        """A `TransformerBridge` with these weights, for hooks, caches and patching."""
        return self.variant.family.to_transformer_lens(self.variant.config, self.weights())

    def artifacts(self) -> list[str]:
        """Names of the analyzers whose artifact is stored."""
        from tdw.recipes.catalog import catalog_of

        v = self.variant
        return [
            name
            for name in catalog_of(v.family).analyzer_names
            if v.store.exists(Address(v.family.name, v.key, name, self.epoch))
        ]

    def _repr_html_(self) -> str:
        found = {
            "fingerprint": self.provenance().checkpoint_fingerprint,
            "artifacts": ", ".join(self.artifacts()),
        }
        return html_fields(f"{self.variant.key}, epoch {self.epoch}", found)

    def _read(self, kind: str) -> Artifact:
        v = self.variant
        return v.store.read(Address(v.family.name, v.key, kind, self.epoch))
