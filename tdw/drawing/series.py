"""Series over epochs, with their gaps: what is missing is a NaN, and a note names it."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tdw.drawing.marks import Line
from tdw.drawing.style import COLORS, DASHES
from tdw.epochs import format_epochs

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.floating]


def on_schedule(table: pd.DataFrame, scheduled: Collection[int]) -> pd.DataFrame:
    """A row for each epoch of the table and each scheduled one, ascending; NaN where there is none."""
    epochs = sorted({int(epoch) for epoch in table["epoch"]} | set(scheduled))
    return table.set_index("epoch").reindex(epochs).rename_axis("epoch").reset_index()


def missing_epochs(have: Iterable[int], scheduled: Collection[int]) -> list[int]:
    """Scheduled epochs that are not there, ascending."""
    return sorted(set(scheduled) - {int(epoch) for epoch in have})


def missing_note(have: Iterable[int], scheduled: Collection[int], *, limit: int = 4) -> str:
    """'3 of 95 scheduled epochs missing (500, 600, 2000)', or '' when none is.

    Args:
        have: epochs that are there.
        scheduled: epochs that should be.
        limit: of the stretches listed.
    """
    missing = missing_epochs(have, scheduled)
    if not missing:
        return ""
    parts = format_epochs(missing).split(", ")
    listed = ", ".join(parts[:limit]) + (", …" if len(parts) > limit else "")
    return f"{len(missing)} of {len(set(scheduled))} scheduled epochs missing ({listed})"


def thin(x: npt.NDArray[np.integer], y: Floats, *, limit: int = 2000) -> npt.NDArray[np.intp]:
    """Indices of about `limit` points that draw the same line: of each stretch the lowest and the highest.

    Every point kept is a real one, so a spike of one epoch stays; the first and the last are always in.
    """
    n = len(x)
    if n <= limit:
        return np.arange(n)
    edges = np.linspace(0, n, max(limit // 2, 1) + 1).astype(np.intp)
    keep = {0, n - 1}
    for start, stop in itertools.pairwise(edges):
        stretch = y[start:stop]
        if np.isnan(stretch).all():
            keep.add(int(start))
            continue
        keep.add(int(start + np.nanargmin(stretch)))
        keep.add(int(start + np.nanargmax(stretch)))
    return np.array(sorted(keep), np.intp)


def band(x: npt.NDArray[np.integer], low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """The outline of a band as polygons, one for each stretch without a gap, separated by NaN.

    For a scatter trace with `fill="toself"`: `fill="tonexty"` would bridge the gaps.
    """
    runs = stretches(~(np.isnan(low) | np.isnan(high)))
    return _joined(
        (np.concatenate([x[run], x[run][::-1]]), np.concatenate([low[run], high[run][::-1]])) for run in runs
    )


def stretches(there: npt.NDArray[np.bool_]) -> list[slice]:
    """The runs of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]])))
    return [slice(int(first), int(after)) for first, after in zip(steps[::2], steps[1::2], strict=True)]


def even_runs(epochs: npt.NDArray[np.integer], *, most: int = 8) -> list[slice]:
    """Runs of evenly spaced epochs, in the order to draw them as heatmaps one over the other.

    Plotly draws evenly spaced columns as one picture, and others cell by cell, ten times slower. Neighbors
    share the epoch between them, so that nothing is left open; wide columns come first, and narrow ones lie
    above them: the picture is that of one heatmap.

    Args:
        epochs: (n,) ascending.
        most: runs; with more of them there is one, of all.
    """
    steps = np.diff(epochs)
    ends = [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist(), len(epochs) - 1]
    if len(epochs) < 3 or len(ends) - 1 > most:
        return [slice(0, len(epochs))]
    runs = [slice(start, end + 1) for start, end in itertools.pairwise(ends)]
    return sorted(runs, key=lambda run: -int(steps[run.start]))


def spread(epochs: Sequence[int], count: int, *, keep: Collection[int] = ()) -> list[int]:
    """At most `count` of the epochs, evenly spaced in the list: the first, the last and those of `keep`."""
    if len(epochs) <= count:
        return list(epochs)
    wanted = [epoch for epoch in keep if epoch in epochs][: max(count - 2, 0)]
    places = np.linspace(0, len(epochs) - 1, max(count - len(wanted), 1)).round().astype(int)
    return sorted({epochs[int(i)] for i in places} | set(wanted))


def lines_by(
    table: pd.DataFrame,
    by: str,
    column: str,
    *,
    scheduled: Collection[int],
    names: Mapping[Any, str],
    legend: bool = True,
) -> list[Line]:
    """A line of `column` over epochs for each value of the column `by`, with gaps where epochs are missing.

    Args:
        table: columns epoch, `by` and `column`.
        by: what tells the lines apart, such as "head".
        column: the values.
        scheduled: epochs that should be there.
        names: value of `by` -> name in the legend, in the order of the colors; others are left out.
        legend: whether the lines are in the legend; panels that share names are switched alike.
    """
    lines: list[Line] = []
    for color, (value, name) in zip(itertools.cycle(COLORS), names.items(), strict=False):
        on = on_schedule(table.loc[table[by] == value, ["epoch", column]], scheduled)
        epochs, values = on["epoch"].to_numpy(), on[column].to_numpy(np.float64)
        lines.append(Line(epochs, values, name=name, color=color, group=name, legend=legend, symbol="circle"))
    return lines


def lines_of(
    table: pd.DataFrame,
    names: Mapping[str, str],
    *,
    scheduled: Collection[int],
    legend: bool = True,
    look: Mapping[str, str] | None = None,
) -> list[Line]:
    """A line over epochs for each of some columns, with gaps where epochs are missing.

    Args:
        table: columns epoch and those of `names`.
        names: column -> name in the legend; the order is that of the colors.
        scheduled: epochs that should be there.
        legend: whether the lines are in the legend; panels that share names are switched alike.
        look: column -> color, for those that have one of their own.
    """
    on = on_schedule(table[["epoch", *names]], scheduled)
    epochs, own = on["epoch"].to_numpy(), look or {}
    return [
        Line(
            epochs, on[column].to_numpy(np.float64), name=name, color=own.get(column, color), group=name,
            legend=legend, symbol="circle", dash=DASHES[place // len(COLORS) % len(DASHES)],
        )
        for place, (color, (column, name)) in enumerate(
            zip(itertools.cycle(COLORS), names.items(), strict=False)
        )
    ]  # fmt: skip


def curve(
    epochs: npt.NDArray[np.integer], values: Floats
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A line through the epochs with a value, broken where epochs are missing.

    Args:
        epochs: (n,) ascending, every recorded epoch.
        values: (n,), NaN where an epoch was recorded but not evaluated: not a gap.

    Returns:
        x and y with NaN between stretches. A stretch ends where recorded epochs lie more than five times
        their usual distance apart.
    """
    steps = np.diff(epochs)
    usual = float(np.median(steps)) if len(steps) else 1.0
    runs = np.split(np.arange(len(epochs)), np.flatnonzero(steps > 5 * usual) + 1)
    return _joined([(epochs[run], values[run]) for run in (run[~np.isnan(values[run])] for run in runs)])


def thin_line(
    x: npt.NDArray[Any], y: npt.NDArray[Any], *, limit: int
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A line of about `limit` points that looks the same, with the gaps that it has; see `thin`."""
    if len(x) <= limit:
        return x, y
    there = ~np.isnan(y)
    runs = [np.arange(len(x))[run] for run in stretches(there)]
    kept = [run[thin(x[run], y[run], limit=max(limit * len(run) // int(there.sum()), 16))] for run in runs]
    return _joined([(x[run], y[run]) for run in kept])


def _joined(
    runs: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Stretches of a line as one, NaN between them."""
    gap = np.array([np.nan])
    xs: list[npt.NDArray[np.float64]] = []
    ys: list[npt.NDArray[np.float64]] = []
    for x, y in runs:
        if len(x):
            xs += [gap, x.astype(np.float64)] if xs else [x.astype(np.float64)]
            ys += [gap, y.astype(np.float64)] if ys else [y.astype(np.float64)]
    return (np.concatenate(xs), np.concatenate(ys)) if xs else (np.empty(0), np.empty(0))
