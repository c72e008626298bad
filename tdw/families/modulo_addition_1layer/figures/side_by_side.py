"""What P11 shows: the variants, and which of them stand side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.drawing import series
from tdw.families.modulo_addition_1layer.config import KEY, Config
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.parameters import is_share, require

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

MOST = 8
"""Variants that fit side by side."""


@dataclass(frozen=True)
class Parameters:
    """What a blob is.

    Attributes:
        threshold: coarseness of a blob, at least; one of the coarseness summary's thresholds.
    """

    threshold: float = 0.7

    def __post_init__(self) -> None:
        require(is_share(self.threshold), "threshold", self.threshold, wanted="a share in 0..1")


@dataclass(frozen=True)
class Column:
    """One variant.

    Attributes:
        fields: its domain parameters by name.
        losses: columns epoch, train_loss, test_loss (nats).
        coarseness: columns epoch, mean, low, high (quartiles), blobs (neurons); a row per scheduled epoch,
            NaN where it is missing.
    """

    subject: subject.Subject
    fields: dict[str, int | float | str]
    losses: pd.DataFrame
    coarseness: pd.DataFrame

    @property
    def heading(self) -> str:
        """Label, grokking and gaps, for above the column."""
        verdict = (
            self.subject.grokking.text.removesuffix(" (censored)")
            .replace("at epoch", "at")
            .replace("by epoch", "by")
        )
        return "<br>".join(
            [f"<b>{self.subject.label}</b>", verdict + (" · gaps" if self.subject.missing else "")]
        )


@dataclass(frozen=True)
class Choice:
    """Variants to be shown together: places in `Data.columns`, at most `MOST`."""

    label: str
    places: tuple[int, ...]


@dataclass(frozen=True)
class Data:
    """Columns in the study's order, and the labels of variants that were not analyzed."""

    columns: tuple[Column, ...]
    left_out: tuple[str, ...]
    parameters: Parameters

    @property
    def choices(self) -> tuple[Choice, ...]:
        """All, where they fit; then those that share one parameter, for each parameter that differs."""
        n = len(self.columns)
        found = [
            Choice("all variants" if n <= MOST else f"the first {MOST} of {n}", tuple(range(min(n, MOST))))
        ]
        for name in self.columns[0].fields:
            values = sorted({column.fields[name] for column in self.columns})
            if len(values) < 2:
                continue
            for value in values:
                places = [i for i, column in enumerate(self.columns) if column.fields[name] == value]
                if len(places) < 2:
                    continue
                more = f", the first {MOST} of {len(places)}" if len(places) > MOST else ""
                found.append(Choice(f"{name.replace('_', ' ')} = {value}{more}", tuple(places[:MOST])))
        return tuple(found)


def load(sources: Sources, parameters: Parameters) -> Data:
    """Every variant that has a coarseness summary."""

    def one(reader: VariantReader) -> Column:
        return _load_column(reader, parameters)

    return Data(*sources.collect(one), parameters=parameters)


def _load_column(reader: VariantReader, parameters: Parameters) -> Column:
    table = reader.summary("coarseness")
    blobs = f"num_blob_neurons_{parameters.threshold:g}"
    require(
        blobs in table.columns,
        "threshold",
        parameters.threshold,
        wanted="one of the thresholds of coarseness_stats, such as 0.7",
    )
    names = {"mean_coarseness": "mean", "p25_coarseness": "low", "p75_coarseness": "high", blobs: "blobs"}
    config = Config.parse(reader.variant)
    return Column(
        subject=subject.load(reader, table["epoch"]),
        fields={field.name: getattr(config, field.name) for field in KEY},
        losses=reader.optional_history()[["epoch", "train_loss", "test_loss"]],
        coarseness=series.on_schedule(table[["epoch", *names]].rename(columns=names), reader.scheduled),
    )
