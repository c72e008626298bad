"""What every figure says of a variant: its label and look, when it grokked, which epochs are missing.

Grokking is an epoch, or *no grok* and censored, never a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tdw.drawing import series
from tdw.drawing.chart import sentences
from tdw.drawing.marks import Rule
from tdw.drawing.style import Look
from tdw.families.modulo_addition_1layer.config import Config
from tdw.markdown import shortened

if TYPE_CHECKING:
    from tdw.recipes.reading.reader import VariantReader


@dataclass(frozen=True)
class Grokking:
    """What the grokking summary says.

    Attributes:
        known: False where there is no such summary yet.
        epoch: of grokking, None for *no grok*.
        censored_at: last epoch looked at, where it did not grok.
    """

    known: bool = False
    epoch: int | None = None
    censored_at: int | None = None

    @property
    def text(self) -> str:
        """'groks at epoch 10,400', 'no grok by epoch 25,000 (censored)', or '' when it is not known."""
        if not self.known:
            return ""
        if self.epoch is not None:
            return f"groks at epoch {self.epoch:,}"
        return "no grok" + (
            f" by epoch {self.censored_at:,} (censored)" if self.censored_at is not None else ""
        )


@dataclass(frozen=True)
class Subject:
    """One variant in a figure; `missing` says in words which scheduled epochs are missing, or is "".

    `group` is the one that a person put it in, "" for none.
    """

    variant: str
    label: str
    look: Look
    grokking: Grokking = field(default_factory=Grokking)
    missing: str = ""
    group: str = ""

    @cached_property
    def base_key(self) -> str:
        """The key that its replicates share."""
        return Config.parse(self.variant).base_key

    @property
    def text(self) -> str:
        """For the subtitle of a figure of this variant."""
        return sentences(self.grokking.text, self.missing)

    @property
    def no_grok(self) -> bool:
        """Whether it is known that it did not grok."""
        return self.grokking.known and self.grokking.epoch is None

    @property
    def name(self) -> str:
        """For the legend of a figure of several."""
        return self.label + (" (no grok)" if self.no_grok else "")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """A line at the grokking epoch, or none."""
        epoch = self.grokking.epoch
        return () if epoch is None else (Rule(x=epoch, text=f"groks: {epoch:,}"),)

    def nearest(self, epochs: Sequence[int]) -> list[int]:
        """The one of some epochs that is nearest to grokking, or none."""
        at = self.grokking.epoch
        return [] if at is None else [min(epochs, key=lambda epoch: abs(epoch - at))]


def load(reader: VariantReader, epochs: Iterable[int]) -> Subject:
    """A variant, of which these epochs are there."""
    missing = series.missing_note(epochs, reader.scheduled)
    grokking = load_grokking(reader)
    return Subject(reader.variant, reader.label, reader.look, grokking, missing, reader.group)


def load_grokking(reader: VariantReader) -> Grokking:
    """The variant's grokking epoch, from its summary."""
    table = reader.optional_summary("grokking")
    if table is None or table.empty:
        return Grokking()
    row = table.iloc[0]
    return Grokking(True, _whole(row.get("grokking_epoch")), _whole(row.get("censored_at")))


def subtitle(subjects: Sequence[Subject], left_out: Sequence[str]) -> str:
    """What the reader must know: grokking of one variant, and what is missing of any."""
    if len(subjects) == 1 and not left_out:
        return subjects[0].text
    parts = [f"{subject.label}: {subject.missing}" for subject in subjects if subject.missing]
    if len(parts) > 2:
        parts = [f"{len(parts)} variants miss scheduled epochs"]
    return sentences(*parts, not_analyzed(left_out))


def not_analyzed(labels: Sequence[str]) -> str:
    """Names the variants that lack what the figure needs."""
    return "not analyzed yet: " + shortened(", ".join(labels)) if labels else ""


def _whole(value: Any) -> int | None:
    import pandas as pd

    return None if value is None or pd.isna(value) else int(value)
