"""Kaplan-Meier, against statsmodels and a textbook case."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from tdw.statistics.survival import kaplan_meier

RUNS = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=20)


@given(RUNS)
def test_the_estimate_and_greenwoods_error_are_statsmodels(runs):
    times, observed = [float(t) for t, _ in runs], [seen for _, seen in runs]
    found = kaplan_meier(times, observed)
    if not any(observed):
        assert (found.survival == 1).all()
        return
    other = SurvfuncRight(times, observed)
    at_events = found.events > 0
    np.testing.assert_allclose(found.times[at_events], other.surv_times)
    np.testing.assert_allclose(found.survival[at_events], other.surv_prob, atol=1e-12)
    np.testing.assert_array_equal(found.at_risk[at_events], other.n_risk)
    # The log(-log) band from statsmodels' standard error (delta method).
    share, error = other.surv_prob, other.surv_prob_se
    inside = (share > 0) & (share < 1)
    share, error = share[inside], error[inside]
    reach = scipy.stats.norm.ppf(0.975) * error / (share * np.abs(np.log(share)))
    low, high = found.low[at_events][inside], found.high[at_events][inside]
    np.testing.assert_allclose(low, share ** np.exp(reach), rtol=1e-9)
    np.testing.assert_allclose(high, share ** np.exp(-reach), rtol=1e-9)


def test_a_case_that_can_be_done_by_hand():
    found = kaplan_meier([1, 2, 2, 3, 5, 5], [True, True, False, True, True, False])
    assert found.times.tolist() == [1, 2, 3, 5]
    assert found.survival == pytest.approx([5 / 6, 4 / 6, 4 / 9, 2 / 9])
    assert found.at_risk.tolist() == [6, 5, 3, 2]
    assert found.events.tolist() == [1, 1, 1, 1]
    assert found.median == 3


def test_the_band_is_undefined_where_all_or_none_are_left():
    found = kaplan_meier([1, 2, 3], [False, True, True])
    assert found.survival == pytest.approx([1, 0.5, 0])
    assert np.isnan(found.low).tolist() == np.isnan(found.high).tolist() == [True, False, True]


def test_the_median_is_unknown_while_most_have_not_grokked():
    assert math.isnan(kaplan_meier([1, 5, 5], [True, False, False]).median)


@pytest.mark.parametrize(
    ("times", "observed"), [([], []), ([1], [True, False]), ([-1], [True]), ([math.inf], [False])]
)
def test_what_is_no_list_of_runs_is_refused(times, observed):
    with pytest.raises(ValueError):
        kaplan_meier(times, observed)
