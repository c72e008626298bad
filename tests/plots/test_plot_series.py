from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.drawing.series import band, curve, even_runs, missing_note, on_schedule, spread, thin


def test_a_scheduled_epoch_without_a_row_becomes_a_nan():
    table = on_schedule(pd.DataFrame({"epoch": [0, 200, 250], "x": [1.0, 2.0, 3.0]}), [0, 100, 200])
    assert table["epoch"].tolist() == [0, 100, 200, 250]
    np.testing.assert_array_equal(table["x"], [1, np.nan, 2, 3])


def test_the_note_counts_and_lists_what_is_missing():
    assert missing_note([0, 100], [0, 100]) == ""
    assert missing_note([0], [0, 100, 200, 300, 5000]) == (
        "4 of 5 scheduled epochs missing (100:300:100, 5000)"
    )


def test_a_long_list_of_missing_epochs_is_cut():
    assert missing_note([], [1, 10, 100, 1000, 10000], limit=2).endswith("(1, 10, …)")


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 50))
def test_thinning_keeps_the_ends_and_the_extremes_and_invents_nothing(values: list[float], limit: int):
    y = np.array(values)
    kept = thin(np.arange(len(y)), y, limit=limit)
    assert kept[0] == 0 and kept[-1] == len(y) - 1
    assert y[kept].min() == y.min() and y[kept].max() == y.max()
    assert len(kept) <= limit + 3
    assert (np.diff(kept) > 0).all()


def test_a_band_is_one_closed_polygon_for_each_stretch_without_a_gap():
    nan = np.nan
    x, y = band(np.arange(5), np.array([0, 1, nan, 3, 4.0]), np.array([10, 11, nan, 13, 14.0]))
    np.testing.assert_array_equal(x, [0, 1, 1, 0, nan, 3, 4, 4, 3])
    np.testing.assert_array_equal(y, [0, 1, 11, 10, nan, 3, 4, 14, 13])


def test_a_curve_breaks_where_epochs_are_missing_but_not_where_they_were_not_evaluated():
    epochs = np.concatenate([np.arange(30), np.arange(100, 130)])
    values = np.where(epochs % 10 == 0, epochs.astype(float), np.nan)
    x, y = curve(epochs, values)
    np.testing.assert_array_equal(x, [0, 10, 20, np.nan, 100, 110, 120])
    np.testing.assert_array_equal(x, y)


def test_a_curve_without_values_is_empty():
    assert len(curve(np.empty(0, np.int64), np.empty(0))[0]) == 0
    assert len(curve(np.arange(3), np.full(3, np.nan))[0]) == 0


def test_a_spread_keeps_first_last_and_what_is_asked_for():
    epochs = list(range(0, 1000, 10))
    chosen = spread(epochs, 6, keep=[330])
    assert chosen[0] == 0 and chosen[-1] == 990 and 330 in chosen and len(chosen) <= 6
    assert spread([1, 2], 5) == [1, 2]


@pytest.mark.parametrize(
    "epochs",
    [
        [0, 100, 200, 300, 500, 700, 900, 1000, 1100],
        [0, 500, 1000, 1100, 1200],
        [0, 1, 2, 3],
        [0, 100],
        [5],
    ],
)
def test_even_runs_cover_all_epochs_share_their_ends_and_wide_ones_lie_below(epochs: list[int]):
    at = np.array(epochs)
    runs = even_runs(at)
    assert all(len(set(np.diff(at[run]).tolist())) <= 1 for run in runs)
    places = sorted((run.start, run.stop) for run in runs)
    assert places[0][0] == 0 and places[-1][1] == len(at)
    assert all(before[1] - 1 == after[0] for before, after in itertools.pairwise(places))
    widths = [int(np.diff(at[run])[0]) for run in runs] if len(at) > 1 else []
    assert widths == sorted(widths, reverse=True)


def test_epochs_without_order_stay_one_run():
    assert even_runs(np.cumsum(np.arange(12))) == [slice(0, 12)]
