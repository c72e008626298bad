"""What a figure reads: history, summaries and artifacts of variants, with the invariant held."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from tdw.drawing.style import Look
from tdw.errors import NotFound
from tdw.recipes.consistency.invariant import MODEL, Invariant
from tdw.store import Address, Provenance, Store, TableAddress
from tdw.store.fingerprints import fingerprint_arrays, fingerprint_json, short

if TYPE_CHECKING:
    import pandas as pd

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Beside:
    """Variants that a person chose to see side by side.

    Attributes:
        table: the comparison of these variants alone.
        groups: key -> name of its group; empty where each variant stands for itself.
    """

    table: pd.DataFrame
    groups: Mapping[str, str] = field(default_factory=dict[str, str])


class VariantReader:
    """Reads one variant's results, remembers what, and refuses to mix models or ways of computing.

    Attributes:
        family, variant: what is read.
        label, look: how the variant is called and drawn.
        scheduled: epochs that should be there, ascending.
        folder: of the comparison that the variant is in; None for no study's.
        so_far: the history of a training that goes on, read in place of the stored one; None for that.
        beside: what the variant is compared with, where a person chose that; None for all of a study.
        inputs: name -> fingerprint of everything read so far.
    """

    def __init__(
        self,
        store: Store,
        family: str,
        *,
        variant: str,
        label: str,
        look: Look,
        scheduled: Sequence[int] | None = None,
        folder: str | None = None,
        so_far: pd.DataFrame | None = None,
        beside: Beside | None = None,
    ) -> None:
        self.family, self.variant, self.label, self.look = family, variant, label, look
        self.so_far, self.beside = so_far, beside
        self.inputs: dict[str, str] = {}
        self._store, self.folder = store, folder
        self._invariant = Invariant(f"a figure of {variant} would mix what does not belong together")
        self.checkpoints = store.epochs(family, variant)
        # Without a study, what should be there is what was trained.
        self.scheduled = tuple(sorted(set(self.checkpoints if scheduled is None else scheduled)))

    def history(self) -> pd.DataFrame:
        """Columns epoch, train_loss, test_loss (nats), test_accuracy (0-1). Raises NotFound."""
        return self._table("history", "history") if self.so_far is None else self.so_far

    def summary(self, name: str) -> pd.DataFrame:
        """A summary's table. Raises NotFound."""
        return self._table(name, f"summaries/{name}")

    def optional_summary(self, name: str) -> pd.DataFrame | None:
        """A summary's table, or None where it was not made yet."""
        try:
            return self.summary(name)
        except NotFound:
            return None

    def optional_history(self) -> pd.DataFrame:
        """The history; without rows where there is none yet."""
        import pandas as pd

        try:
            return self.history()
        except NotFound:
            columns = ("train_loss", "test_loss", "test_accuracy")
            return pd.DataFrame({"epoch": np.empty(0, np.int64), **{name: np.empty(0) for name in columns}})

    @property
    def group(self) -> str:
        """The group that a person put the variant in; "" for none."""
        return self.beside.groups.get(self.variant, "") if self.beside else ""

    def comparison(self) -> pd.DataFrame | None:
        """The table over all variants (S5), or None where it was not made yet."""
        if self.beside is not None:
            return self.beside.table
        address = TableAddress(self.family, self.folder, "comparison")
        try:
            table, provenance = self._store.read_table_with_provenance(address)
        except NotFound:
            return None
        self._note("summaries/comparison", provenance, fingerprint_table(table))
        return table

    def epochs(self, analyzer: str) -> list[int]:
        """Epochs of which there is an artifact.

        Raises:
            NotFound: there is none at all.
        """
        found = self._store.epochs(self.family, self.variant, analyzer)
        if not found:
            raise NotFound(
                f"{self.variant} has no {analyzer} yet", "materialize some epochs of it, or run `tdw fill`"
            )
        return found

    def artifact(self, analyzer: str, epoch: int) -> dict[str, npt.NDArray[Any]]:
        """An artifact's arrays. Raises NotFound, CorruptFile or FingerprintMismatch."""
        found = self._store.read(Address(self.family, self.variant, analyzer, epoch))
        content = found.provenance.checkpoint_fingerprint
        self._note(f"{analyzer}/{epoch}", found.provenance, content, in_series=True)
        return found.arrays

    def rows(self, analyzer: str, epoch: int, *, name: str, rows: Sequence[int]) -> npt.NDArray[np.float32]:
        """Some rows of an array, without reading the others: float32 (len(rows), ...)."""
        address = Address(self.family, self.variant, analyzer, epoch)
        provenance = self._store.provenance(address)
        self._note(f"{analyzer}/{epoch}", provenance, provenance.checkpoint_fingerprint, in_series=True)
        return self._store.read_rows(address, name, rows)

    def fingerprint(self, name: str) -> str:
        """The variant's or the probe's fingerprint, "" when nothing that has one was read."""
        return self._invariant.first(name)

    def _table(self, name: str, what: str) -> pd.DataFrame:
        address = TableAddress(self.family, self.variant, name)
        table, provenance = self._store.read_table_with_provenance(address)
        self._note(what, provenance, fingerprint_table(table))
        return table

    def _note(self, what: str, provenance: Provenance, content: str, *, in_series: bool = False) -> None:
        for name in MODEL:
            if getattr(provenance, name):  # a history has no probe
                self._invariant.note(name, getattr(provenance, name), f"in {what}")
        if in_series:
            self._invariant.note_way(provenance, provenance.epoch or 0)
        self._invariant.hold()
        self.inputs[what] = short(fingerprint_json([provenance.to_json(), content]))


@dataclass(frozen=True)
class Sources:
    """The variants of one figure, in the study's order.

    Attributes:
        variants: a reader each; one for a figure of one variant.
    """

    variants: tuple[VariantReader, ...]

    @property
    def only(self) -> VariantReader:
        """The variant of a figure about one."""
        (reader,) = self.variants
        return reader

    def collect(self, load: Callable[[VariantReader], Loaded]) -> tuple[tuple[Loaded, ...], tuple[str, ...]]:
        """Load every variant that has what the figure needs.

        Returns:
            What was loaded, and the labels of the variants that are left out.

        Raises:
            NotFound: no variant has it; a figure of one variant says what is missing.
        """
        loaded: list[Loaded] = []
        left_out: list[str] = []
        last: NotFound | None = None
        for reader in self.variants:
            try:
                loaded.append(load(reader))
            except NotFound as error:
                left_out.append(reader.label)
                last = error
        if not loaded:
            raise last or NotFound("there is no variant to draw", "add one to the study, or train one")
        return tuple(loaded), tuple(left_out)


def fingerprint_table(table: pd.DataFrame) -> str:
    """SHA-256 (64 hex digits) of a table's columns and values."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for i, (name, column) in enumerate(table.items()):
        values: npt.NDArray[Any] = column.to_numpy()
        # What is no number, such as texts and whole numbers with gaps, counts as it is written.
        columns[f"{i:05d}|{name}"] = (
            values if values.dtype.kind in "biuf" else np.array([str(value) for value in column], "U")
        )
    return fingerprint_arrays(columns)
