"""Many series in one panel: of each group the median and two bands, the runs themselves as faint lines.

Eight lines with a look each can be told apart, a hundred can't. From `FEW` on, and wherever variants have
replicates, what can be read is how a group lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tdw.drawing.marks import AnyMark, Band, Line
from tdw.drawing.series import joined
from tdw.drawing.style import MUTED, palette

FEW = 12
"""Variants that are drawn one by one, with a look and a name in the legend each."""

_SMALL_GROUP = 5
_FAINT, _MOST_FAINT = 300, 120
"""Points of the faint lines, and how many of them a panel has."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Course:
    """One run's series: epochs ascending and values, (n,) each, and the group that it is in."""

    x: npt.NDArray[np.floating] | npt.NDArray[np.integer]
    y: Floats
    name: str
    group: str


def group_of(base: str, reached: bool | None, *, bases: int, words: tuple[str, str, str]) -> str:
    """The group of a run: its base variant while these can be told apart by color, else its outcome.

    Args:
        base: key of the variant without the replicate.
        reached: whether it reached its family's outcome; None where it is not known.
        bases: how many base variants there are.
        words: for reached, not reached, and not known.
    """
    if bases <= FEW:
        return base
    return words[2] if reached is None else words[0 if reached else 1]


def is_crowd(*, runs: int, bases: int) -> bool:
    """Whether runs are drawn as groups: there are many, or several of one base variant."""
    return runs > FEW or bases < runs


def crowd(
    courses: Sequence[Course],
    *,
    colors: Mapping[str, str] | None = None,
    legend: bool = True,
    tag: str = "",
    right: bool = False,
    dash: str = "solid",
    form: str = ".3~g",
) -> list[AnyMark]:
    """The marks of a panel: faint lines, and of each group its bands and its median.

    Args:
        courses: the runs.
        colors: of the groups; by default the palette's, in the order in which groups occur.
        legend: whether the groups are in the legend.
        tag: what a `Choice` shows and hides them by.
        right: measured by the right axis.
        dash: of the medians.
        form: d3-format of values in hover texts.
    """
    by_default = palette(course.group for course in courses)
    color = by_default | dict(colors or {})
    marks: list[AnyMark] = [*_faint(courses, color, tag=tag, right=right)]
    for group in by_default:
        members = [course for course in courses if course.group == group]
        marks += _group(
            group, members, color[group], legend=legend, tag=tag, right=right, dash=dash, form=form
        )
    return marks


def _faint(courses: Sequence[Course], colors: Mapping[str, str], *, tag: str, right: bool) -> Iterator[Line]:
    # Evenly through the runs, and as one line per group, so that a thousand of them draw as quickly as ten.
    step = max(-(-len(courses) // _MOST_FAINT), 1)
    shown = courses[::step]
    for group in dict.fromkeys(course.group for course in shown):
        members = [course for course in shown if course.group == group]
        thinned = [(course.x[::every], course.y[::every]) for course in members
                   for every in [max(len(course.x) // _FAINT, 1)]]  # fmt: skip
        x, y = joined(thinned)
        yield Line(
            x, y,
            name=group, color=colors.get(group, MUTED), width=0.7, opacity=0.3, legend=False, group=group,
            tag=tag, right=right, hover=None,
        )  # fmt: skip


def _group(
    group: str,
    members: Sequence[Course],
    color: str,
    *,
    legend: bool,
    tag: str,
    right: bool,
    dash: str,
    form: str,
) -> Iterator[AnyMark]:
    x, values = on_common_grid(members)
    if not len(x):
        return
    few = len(members) < _SMALL_GROUP
    edges = ((0, 100, 0.18),) if few else ((10, 90, 0.12), (25, 75, 0.2))
    for low, high, opacity in edges if len(members) > 1 else ():
        bottom, top = quantiles(values, low), quantiles(values, high)
        yield Band(
            x, bottom, top, name=group, color=color, opacity=opacity, group=group, legend=False, tag=tag,
            right=right, hover=None,
        )  # fmt: skip
    what = "range" if few else "quartiles, 10–90 %"
    name = f"{group} (n = {len(members)})" if len(members) > 1 else group
    hover = f"median {{y:{form}}}, {what} of {len(members)}" if len(members) > 1 else ""
    yield Line(
        x, quantiles(values, 50),
        name=name, color=color, width=2.2, dash=dash, group=group, legend=legend, tag=tag, right=right,
        hover=hover,
    )  # fmt: skip


def on_common_grid(members: Sequence[Course]) -> tuple[Floats, Floats]:
    """All epochs of the members (n,), and their values there (members, n); NaN where one has none."""
    known = [(course.x[~np.isnan(course.y)], course.y[~np.isnan(course.y)]) for course in members]
    x = np.unique(np.concatenate([at for at, _ in known])).astype(np.float64) if known else np.empty(0)
    values = np.full((len(members), len(x)), np.nan)
    for row, (at, y) in zip(values, known, strict=True):
        row[np.searchsorted(x, at)] = y
    return x, values


def quantiles(values: Floats, share: float) -> Floats:
    """A percentile over members (m, n) at each point (n,), of those that have a value there.

    Between two members the lower one counts: the mean of losses that are decades apart is neither's.
    """
    return np.nanpercentile(values, share, axis=0, method="lower" if share <= 50 else "higher")
