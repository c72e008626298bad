"""Variance components, against statsmodels' restricted maximum likelihood and simulated truth."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from tdw.statistics.components import variance_components


def sample(generator, sizes, spreads):
    """Runs of groups; sizes[i][j] replicates of variant j of group i; spreads from group to replicate."""
    rows = []
    for i, variants in enumerate(sizes):
        of_modulus = spreads[0] * generator.standard_normal()
        for j, replicates in enumerate(variants):
            of_seed = spreads[1] * generator.standard_normal()
            rows += [
                (i, f"{i}_{j}", 10 + of_modulus + of_seed + spreads[2] * generator.standard_normal())
                for _ in range(replicates)
            ]
    return pd.DataFrame(rows, columns=["group", "variant", "y"])


def estimate(table):
    return variance_components(
        table["y"].tolist(), group=table["group"].tolist(), variant=table["variant"].tolist()
    )


def test_equal_groups_give_restricted_maximum_likelihood():
    table = sample(np.random.default_rng(1), [[4] * 5] * 6, (3.0, 2.0, 1.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = smf.mixedlm(
            "y ~ 1", table, groups="group", re_formula="1", vc_formula={"variant": "0 + C(variant)"}
        ).fit(reml=True)
    found = estimate(table)
    assert found.group == pytest.approx(float(fit.cov_re.iloc[0, 0]), rel=1e-3)
    assert found.seed == pytest.approx(float(fit.vcomp[0]), rel=1e-3)
    assert found.replicate == pytest.approx(float(fit.scale), rel=1e-3)
    assert (found.n_moduli, found.n_variants, found.n_runs, found.note) == (6, 30, 120, "")
    assert sum(found.shares) == pytest.approx(1)


def test_unequal_groups_are_right_on_average():
    generator = np.random.default_rng(5)
    sizes = [[1, 2, 3], [3, 1], [2, 2, 1, 4], [1, 3], [2]]
    found = [estimate(sample(generator, sizes, (3.0, 2.0, 2.0))) for _ in range(1500)]
    # The seed's and the group' estimates are cut at 0, which raises their means a little.
    assert np.mean([one.replicate for one in found]) == pytest.approx(4, rel=0.05)
    assert np.mean([one.seed for one in found]) == pytest.approx(4, rel=0.1)
    assert np.mean([one.group for one in found]) == pytest.approx(9, rel=0.15)


def test_an_estimate_below_zero_is_set_to_zero_and_said():
    found = variance_components([1, 5, 2, 4], group=[0, 0, 0, 0], variant=["a", "a", "b", "b"])
    assert found.seed == 0
    assert "estimate for the seed is -2.5 and set to 0" in found.note


def test_without_replicates_theirs_is_unknown_and_the_seeds_holds_it():
    found = variance_components([1, 3, 11, 13], group=[0, 0, 1, 1], variant=list("abcd"))
    assert math.isnan(found.replicate)
    assert found.seed == pytest.approx(2)
    assert found.group == pytest.approx(50 - 1)
    assert "the seed's share holds theirs" in found.note
    assert all(map(math.isnan, found.shares))


def test_one_modulus_says_nothing_of_moduli():
    found = variance_components([1, 3, 11, 13], group=[0] * 4, variant=["a", "a", "b", "b"])
    assert math.isnan(found.group)
    assert (found.replicate, found.seed) == (pytest.approx(2), pytest.approx(49))
    assert "one group" in found.note


def test_what_has_no_nesting_is_refused():
    with pytest.raises(ValueError, match="two groups"):
        variance_components([1, 2], group=[0, 1], variant=["a", "a"])
    with pytest.raises(ValueError, match="not finite"):
        variance_components([1, math.nan], group=[0, 0], variant=["a", "b"])
