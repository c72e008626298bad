"""Two figures of every family with an outcome: who has not reached it yet, and when each variant did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing.chart import Chart, Panel, sentences, with_band
from tdw.drawing.crowd import FEW
from tdw.drawing.marks import EPOCHS, AnyMark, Axis, Line, Points, share
from tdw.drawing.style import palette
from tdw.errors import NotFound
from tdw.parameters import is_texts, require
from tdw.recipes.common.outcome_groups import Run, by_group, grouping_fields, runs_of, spreads, survival_of
from tdw.recipes.figure import Plot
from tdw.recipes.measures import Picture
from tdw.recipes.outcome import Outcome
from tdw.recipes.reading.evidence import Evidence

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.family import Family
    from tdw.recipes.reading.reader import Sources

SURVIVAL, OUTCOMES = "survival", "outcomes"


@dataclass(frozen=True)
class Parameters:
    """What groups are made by.

    Attributes:
        by: names of fields; None for those that vary beside seeds and the replicate.
    """

    by: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        require(self.by is None or is_texts(self.by), "by", self.by, wanted="names of fields, or null")


@dataclass(frozen=True)
class Data:
    """The runs whose outcome is known, and how many have none yet."""

    runs: tuple[Run, ...]
    unknown: int
    outcome: Outcome


def survival_chart(data: Data) -> Chart:
    """A curve with its 95 % band per group."""
    marks: list[AnyMark] = []
    groups = by_group(data.runs)
    color = palette(groups)
    for name, runs in groups.items():
        found = survival_of(runs)
        # A run that is watched from the start stands at 1 until the first event.
        x, y, low, high = (
            np.concatenate([[first], values])
            for first, values in (
                (0.0, found.times),
                (1.0, found.survival),
                (1.0, found.low),
                (1.0, found.high),
            )
        )
        reached = sum(run.reached for run in runs)
        line = Line(
            _corners(x), _steps(y),
            name=f"{name} ({reached} of {len(runs)} {data.outcome.did})", color=color[name],
            hover="{y:.3f} not yet",
        )  # fmt: skip
        marks += with_band(line, _steps(low), _steps(high))
    event = data.outcome
    panel = Panel(marks, y=share(f"share that has not yet {event.did}"), x=replace(EPOCHS, zero=True))
    return Chart(f"Not yet {event.did}", (panel,), subtitle=_subtitle(data))


def _corners(x: np.ndarray) -> np.ndarray:
    """Times of a step function drawn as a line: each step's time twice."""
    return np.repeat(x, 2)[1:]


def _steps(y: np.ndarray) -> np.ndarray:
    return np.repeat(y, 2)[:-1]


def outcomes_chart(data: Data) -> Chart:
    """A point per base variant with the range of its replicates; hollow where not all reached it."""
    every = spreads(data.runs)
    few = len(every) <= FEW
    if not few:
        every = tuple(sorted(every, key=lambda one: (one.reached == 0, one.epochs[1])))
    color = palette(run.group for run in data.runs)
    marks: list[AnyMark] = []
    for place, one in enumerate(every):
        low, median, high = one.epochs
        at = float(place)
        if len(one.runs) > 1:
            marks.append(
                Line(
                    np.array([at, at]),
                    np.array([low, high]),
                    color=color[one.group],
                    legend=False,
                    hover=None,
                )
            )
            marks += [
                Points(
                    np.array([at]), np.array([run.epoch]), color=color[one.group], size=5, opacity=0.6,
                    hollow=not run.reached, legend=False, hover=f"{run.variant}<br>epoch {{y:,d}}",
                )
                for run in one.runs
            ]  # fmt: skip
        said = f"{one.reached} of {len(one.runs)} {data.outcome.did}"
        marks.append(
            Points(
                np.array([at]), np.array([median]), color=color[one.group], size=11 if few else 6,
                hollow=one.reached < len(one.runs), legend=False, name=one.label,
                hover=f"{one.label}: {said}<br>median epoch {{y:,.0f}}",
            )
        )  # fmt: skip
    x = Axis(names=tuple(one.label for one in every)) if few else Axis(
        f"variants by {data.outcome.epoch_label}", form=",d", ticks=",d"
    )  # fmt: skip
    y = Axis(data.outcome.epoch_label, "optimizer steps", zero=True, form=",d", ticks=",d")
    title = data.outcome.epoch_label.capitalize() + " by variant"
    return Chart(title, (Panel(marks, x=x, y=y),), subtitle=_subtitle(data), unified=False)


def _subtitle(data: Data) -> str:
    failed = sum(not run.reached for run in data.runs)
    return sentences(
        f"{len(data.runs)} runs, {failed} {data.outcome.did_not}",
        f"{data.unknown} not known yet" if data.unknown else "",
    )


def of_evidence(evidence: Evidence, family: Family) -> Data:
    """What the two figures show, from the tables of a report."""
    assert evidence.outcome is not None
    configs = [row.config for row in evidence.rows]
    known = {
        row.key: (row.reached, row.epoch if row.reached else row.censored) for row in evidence.rows
    }  # fmt: skip
    runs = runs_of(configs, known, by=grouping_fields(family, configs))
    return Data(runs, len(configs) - len(runs), evidence.outcome)


def outcome_pictures(family: Family) -> dict[str, Picture]:
    """The printed figures of a family with an outcome; none for another."""
    event = family.outcome
    if event is None:
        return {}
    survival = Picture(
        f"Share that has not yet {event.did}, by epoch (Kaplan-Meier), with its pointwise 95 % band.",
        lambda evidence: survival_chart(of_evidence(evidence, family)),
        groups=False,
    )

    def spread_caption(evidence: Evidence) -> str:
        if not evidence.replicated:
            return (
                f"The {event.epoch_label} of each variant. Hollow: {event.none}, at the last epoch watched."
            )
        return (
            f"The {event.epoch_label} of each variant: the median of its replicates with their range. "
            f"Hollow: {event.none} in some of them, at the last epoch watched."
        )

    spread = Picture(
        spread_caption,
        lambda evidence: outcomes_chart(of_evidence(evidence, family)),
        groups=False,
    )
    return {SURVIVAL: survival, OUTCOMES: spread}


def outcome_plots(family: Family) -> tuple[Plot, ...]:
    """The interactive figures of a family with an outcome; none for another."""
    event = family.outcome
    if event is None:
        return ()

    def load(sources: Sources, parameters: Parameters) -> Data:
        table = sources.variants[0].comparison() if sources.variants else None
        if table is None:
            raise NotFound("there is no comparison of the variants yet", "run `tdw fill`")
        configs = [family.parse_variant(reader.variant) for reader in sources.variants]
        known = [field.name for field in family.fields]
        by = grouping_fields(family, configs) if parameters.by is None else parameters.by
        require(set(by) <= set(known), "by", by, wanted=f"fields of the family: {', '.join(known)}")
        chosen = {reader.variant: reader.group for reader in sources.variants if reader.group}
        runs = runs_of(configs, dict(_outcomes(table, event)), by=by, chosen=chosen)
        if not runs:
            raise NotFound(f"of no variant the {event.epoch_label} is known yet", "run `tdw fill`")
        return Data(runs, len(configs) - len(runs), event)

    def plot(name: str, title: str, description: str, chart: Callable[[Data], Chart]) -> Plot:
        return Plot(
            name=name,
            title=title,
            description=description,
            code_version="1",
            scope="comparison",
            load=load,
            chart=chart,
            table=_table,
            needs=("summaries/comparison",),
            parameters=Parameters,
        )

    by_variant = f"{event.epoch_label.capitalize()} by variant"
    return (
        plot(SURVIVAL, f"Not yet {event.did}", _survival_text(event), survival_chart),
        plot(OUTCOMES, by_variant, _outcomes_text(event), outcomes_chart),
    )


def _outcomes(table: pd.DataFrame, event: Outcome) -> Iterator[tuple[str, tuple[bool | None, float]]]:
    import pandas as pd

    columns = [table[name] for name in ("variant", event.reached, event.epoch, event.censored)]
    for key, reached, epoch, censored in zip(*columns, strict=True):
        if pd.isna(reached):
            yield str(key), (None, np.nan)
            continue
        at = epoch if bool(reached) else censored
        yield str(key), (bool(reached), np.nan if pd.isna(at) else float(at))


def _table(data: Data) -> pd.DataFrame:
    """Columns variant, base, group, epoch (of the outcome, or the last one watched), reached."""
    import pandas as pd

    rows: Sequence[Run] = data.runs
    return pd.DataFrame(
        {
            "variant": [run.variant for run in rows],
            "base": [run.base for run in rows],
            "group": [run.group for run in rows],
            "epoch": [run.epoch for run in rows],
            "reached": [run.reached for run in rows],
        }
    )


def _survival_text(event: Outcome) -> str:
    return f"""\
The share of runs that has not yet {event.did}, against the epoch: Kaplan and Meier's estimate (1958), which
counts a run that was not watched to the end as long as it was watched. The band is pointwise, 95 %
(Greenwood's variance on the log(-log) scale). A curve per group: the fields that vary beside seeds and the
replicate, or those of the parameter `by`.

**How to read it.** Where a curve is at 0.5, half of the runs have. Where it ends above 0 some never did by
the last epoch. Groups whose bands overlap everywhere are not told apart by these runs. Runs of a group are
taken for independent: where they share a seed the band is too narrow.
"""


def _outcomes_text(event: Outcome) -> str:
    return f"""\
The {event.epoch_label} of each variant: the median of its replicates as a point, each replicate as a small
one, a line from the least to the greatest. Hollow: {event.none} in some of them; those stand at the last
epoch watched. More than {FEW} variants are sorted by their median and not named.

**How to read it.** Replicates differ in rounding alone. Where their range is as long as the distance between
variants, the {event.epoch_label} of one run says nothing about its variant.
"""
