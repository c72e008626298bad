"""How figures show many variants, or variants with replicates: as groups, or some that stand for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.drawing.crowd import FEW, Course, crowd, group_of, is_crowd
from tdw.drawing.marks import AnyMark
from tdw.drawing.style import COLORS, MUTED, palette, short_labels
from tdw.families.modulo_addition_1layer.figures.subject import Subject

if TYPE_CHECKING:
    import pandas as pd

WORDS = ("grokked", "did not grok", "not known yet")
NOTE = f"""
More than {FEW} variants, and variants with replicates, are drawn as groups: the median as a thick line, the
quartiles and the middle 80 % as bands, the runs as thin lines. Groups are the variants without their
replicates where there are few, else what grokked and what did not.
"""
Series = tuple[npt.NDArray[Any], npt.NDArray[np.float64]]


def is_many(subjects: Sequence[Subject]) -> bool:
    """Whether they are drawn as groups: a person made some, or they are many."""
    return is_grouped(subjects) or is_crowd(
        runs=len(subjects), bases=len({subject.base_key for subject in subjects})
    )


def is_grouped(subjects: Sequence[Subject]) -> bool:
    """Whether a person put them into groups."""
    return any(subject.group for subject in subjects)


def groups(subjects: Sequence[Subject]) -> list[str]:
    """The group of each."""
    if is_grouped(subjects):
        return [subject.group for subject in subjects]
    labels = short_labels(list(dict.fromkeys(subject.base_key for subject in subjects)))
    return [
        group_of(
            labels[subject.base_key],
            not subject.no_grok if subject.grokking.known else None,
            bases=len(labels),
            words=WORDS,
        )
        for subject in subjects
    ]


def colors(names: Sequence[str]) -> dict[str, str]:
    """Group -> color, the same in every figure of many."""
    known: dict[str, str] = dict(zip(WORDS, (COLORS[0], COLORS[3], MUTED), strict=True))
    return known if set(names) <= set(known) else palette(names)


def known(table: pd.DataFrame, column: str) -> Series:
    """A column over epochs, (n,) each, where it has a value."""
    there = table[table[column].notna()]
    return there["epoch"].to_numpy(np.int64), there[column].to_numpy(np.float64)


def marks(subjects: Sequence[Subject], series: Sequence[Series], **how: Any) -> list[AnyMark]:
    """Bands and medians of the groups.

    Args:
        subjects: the variants.
        series: epochs and values (n,) of each; those without a point are left out.
        how: keywords of `tdw.drawing.crowd.crowd`.
    """
    names = groups(subjects)
    of = zip(subjects, series, names, strict=True)
    found = [Course(x, y, subject.label, name) for subject, (x, y), name in of if len(x)]
    order = {name: place for place, name in enumerate(colors(names))}
    return crowd(sorted(found, key=lambda one: order[one.group]), colors=colors(names), **how)


def by_grokking(subjects: Sequence[Subject]) -> list[int]:
    """Places of the variants by their grokking epoch, those that did not grok last."""

    def at(place: int) -> float:
        epoch = subjects[place].grokking.epoch
        return math.inf if epoch is None else epoch

    return sorted(range(len(subjects)), key=at)


def spread(places: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of them, evenly from the first to the last."""
    if len(places) <= most:
        return tuple(places)
    chosen: list[int] = np.linspace(0, len(places) - 1, most).round().astype(int).tolist()
    return tuple(places[i] for i in chosen)
