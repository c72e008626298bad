"""T12: who has not reached the outcome yet, each variant with its replicates, and crowds of a hundred."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from figures import sources
from synthetic import FAMILY

from tdw.drawing.crowd import Course, crowd
from tdw.drawing.marks import Band, Line
from tdw.drawing.plotly.pen import figure
from tdw.errors import BadConfig
from tdw.recipes.catalog import catalog_of
from tdw.recipes.common.outcome_figures import OUTCOMES, SURVIVAL, Parameters
from tdw.store import Provenance, Store, TableAddress


def write_comparison(store: Store, epochs: dict[str, int | None], *, last: int = 3000) -> None:
    keys = list(epochs)
    reached = [epochs[key] is not None for key in keys]
    table = pd.DataFrame(
        {
            "variant": keys,
            "grokked": reached,
            "grokking_epoch": pd.array([epochs[key] for key in keys], dtype="Int64"),
            "censored_at": pd.array([None if r else last for r in reached], dtype="Int64"),
        }
    )
    record = Provenance(family=FAMILY.name, variant="", name="comparison")
    store.write_table(TableAddress(FAMILY.name, None, "comparison"), table, provenance=record)


def test_each_group_has_its_survival_curve_and_censored_runs_stay(empty: Store):
    epochs = {"p13_s1_d598": 1000, "p13_s2_d598": 2000, "p17_s1_d598": 500, "p17_s2_d598": None}
    write_comparison(empty, epochs)
    plot = catalog_of(FAMILY).plot(SURVIVAL, scope="comparison")
    data = plot.load(sources(empty, *epochs), Parameters())
    drawn = figure(plot.chart(data))
    lines = {
        t.name: t for t in drawn.data if t.mode == "lines" and t.showlegend is not False and t.fill is None
    }
    assert list(lines) == ["p = 13 (2 of 2 grokked)", "p = 17 (1 of 2 grokked)"]
    assert lines["p = 13 (2 of 2 grokked)"].y.tolist() == [1, 1, 0.5, 0.5, 0]
    assert lines["p = 17 (1 of 2 grokked)"].y[-1] == 0.5, "a censored run never leaves the curve"
    together = plot.load(sources(empty, *epochs), Parameters(by=()))
    assert {run.group for run in together.runs} == {"all variants"}
    with pytest.raises(BadConfig, match="fields of the family"):
        plot.load(sources(empty, *epochs), Parameters(by=("flavor",)))


def test_replicates_are_one_point_with_their_range(empty: Store):
    epochs = {"p13_s1_d598": 1000, "p13_s1_d598_r1": 1600, "p13_s1_d598_r2": None, "p13_s2_d598": 900}
    write_comparison(empty, epochs)
    plot = catalog_of(FAMILY).plot(OUTCOMES, scope="comparison")
    data = plot.load(sources(empty, *epochs), Parameters())
    drawn = figure(plot.chart(data))
    points = {t.name: t for t in drawn.data if t.name}
    assert set(points) == {"p13 s1", "p13 s2"}
    assert points["p13 s1"].y.tolist() == [1600] and points["p13 s1"].marker.symbol.endswith("-open")
    ranges = [list(t.y) for t in drawn.data if t.mode == "lines"]
    assert ranges == [[1000, 3000]]
    assert plot.table(data)["reached"].tolist() == [True, True, False, True]


def test_a_hundred_lines_are_two_names_in_the_legend_and_their_quantiles():
    x = np.arange(0, 500, 10)
    courses = [Course(x, np.full(50, float(i)), f"s{i}", "did" if i < 80 else "did not") for i in range(100)]
    marks = crowd(courses)
    named = [mark for mark in marks if mark.legend]
    assert [mark.name for mark in named] == ["did (n = 80)", "did not (n = 20)"]
    assert isinstance(named[0], Line) and 39 <= named[0].y[0] <= 40
    bands = [mark for mark in marks if isinstance(mark, Band) and mark.group == "did"]
    assert [(band.low[0], band.high[0]) for band in bands] == [(7, 72), (19, 60)]
    faint = [mark for mark in marks if isinstance(mark, Line) and not mark.legend]
    assert len(faint) == 100 and all(mark.opacity < 0.5 and mark.width < 1 for mark in faint)


def test_a_run_with_gaps_counts_where_it_has_a_value():
    gap = Course(np.array([0, 10, 20]), np.array([1.0, np.nan, 3.0]), "a", "g")
    whole = Course(np.array([0, 10, 20]), np.array([5.0, 7.0, 9.0]), "b", "g")
    band = next(mark for mark in crowd([gap, whole]) if isinstance(mark, Band))
    assert band.low.tolist() == [1, 7, 3] and band.high.tolist() == [5, 7, 9]
