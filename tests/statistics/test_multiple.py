"""Holm's correction, against statsmodels and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from tdw.statistics.multiple import holm


@settings(max_examples=15)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_the_correction_is_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)


def test_the_smallest_counts_for_all_and_none_is_below_one_before_it():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))


def test_a_claim_without_a_test_does_not_count():
    first, second, third = holm([0.01, math.nan, 0.04])
    assert (first, third) == pytest.approx((0.02, 0.04))
    assert math.isnan(second)


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match=r"number 1 is 1\.2"):
        holm([0.1, 1.2])
