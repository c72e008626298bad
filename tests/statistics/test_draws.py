"""Verdicts over replicates."""

from __future__ import annotations

import pytest

from tdw.statistics.draws import complete_draws, judge_draws


def first_is_earlier(epochs):
    return "supported" if epochs[0] < epochs[1] else "contradicted"


def test_a_claim_that_holds_in_each_set_is_supported():
    found = judge_draws([[100, 120], [130, 150, 170]], first_is_earlier)
    assert (found.verdict, found.supported, found.draws, found.exact) == ("supported", 6, 6, True)


def test_one_flip_among_all_sets_leaves_it_undecided():
    found = judge_draws([[100, 140], [130, 150, 170]], first_is_earlier)
    assert (found.verdict, found.supported, found.contradicted) == ("undecided", 5, 1)


def test_a_stated_share_may_be_enough():
    found = judge_draws([[100, 140], [130, 150, 170]], first_is_earlier, needed=0.8)
    assert (found.verdict, found.needed) == ("supported", 0.8)


def test_what_is_refuted_in_each_set_is_contradicted():
    assert judge_draws([[200], [130, 150]], first_is_earlier).verdict == "contradicted"


def test_sets_that_decide_nothing_count_against_both():
    def judge(epochs):
        return "undecided" if epochs[0] == epochs[1] else first_is_earlier(epochs)

    found = judge_draws([[100, 130], [130]], judge)
    assert (found.verdict, found.supported, found.undecided) == ("undecided", 1, 1)


def test_too_many_sets_are_sampled_without_repetition_and_the_plain_runs_come_first():
    sets = complete_draws([4] * 10, most=50)
    assert len(sets) == len(set(sets)) == 50
    assert sets[0] == (0,) * 10
    assert sets == complete_draws([4] * 10, most=50)
    found = judge_draws([[1, 2, 3, 4]] * 10, lambda _: "supported", most=50)
    assert (found.draws, found.possible, found.exact) == (50, 4**10, False)


def test_without_replicates_it_is_the_verdict_of_the_one_set():
    found = judge_draws([[100], [130]], first_is_earlier)
    assert (found.verdict, found.draws, found.exact) == ("supported", 1, True)


def test_what_can_not_be_judged_is_refused():
    with pytest.raises(ValueError, match="replicates"):
        judge_draws([[1], []], first_is_earlier)
    with pytest.raises(ValueError, match=r"above 0\.5"):
        judge_draws([[1], [2]], first_is_earlier, needed=0.5)
