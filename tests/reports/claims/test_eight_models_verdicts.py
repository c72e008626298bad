"""The verdicts on the eight models' claims: each comes out where its rule says so, on made-up studies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tdw.families import get_family
from tdw.recipes.reading.evidence import Evidence
from tdw.reports.claims.order_in_time import drop_epoch, rise_interval
from tdw.reports.claims.registry import judge_all
from tdw.reports.claims.verdicts import JudgedClaim

FAMILY = get_family("modulo_addition_1layer")
ALL = [(p, seed) for p in (97, 101, 109, 113) for seed in (485, 999)]


@pytest.fixture
def judge(eight_models):
    """judge("H1", evidence) -> the claim of that id, judged."""

    def by_id(id: str, evidence: Evidence) -> JudgedClaim:
        (claim,) = [claim for claim in eight_models.claims if claim.id == id]
        return judge_all(evidence, FAMILY, [claim])[0]

    return by_id


@pytest.fixture
def expected(judge):
    """expected(evidence) -> id -> verdict, of the expected outcomes."""
    return lambda evidence: {id: judge(id, evidence).verdict for id in ("E1", "E2", "E3", "E4", "E5a")}


def test_the_expected_outcomes_are_supported_when_they_come_out(study, expected):
    found = expected(study())
    assert found == dict.fromkeys(("E1", "E2", "E3", "E4", "E5a"), "supported")


@pytest.mark.parametrize(
    ("id", "change"),
    [
        ("E1", {(101, 999): {"epoch": 15_000}}),
        ("E1", {(113, 999): {"epoch": None}}),
        ("E2", {(97, 999): {"epoch": 8000}}),
        ("E3", {(113, 485): {"epoch": 5500}}),
        ("E4", {(97, 485): {"epoch": 10_500}}),
        (
            "E5a",
            {key: {"stable": False} for key in [(p, s) for p in (97, 101, 109, 113) for s in (485, 999)]},
        ),
    ],
)
def test_an_expected_outcome_is_contradicted_by_one_that_differs(study, id, change, expected):
    found = expected(study(change=change))
    assert found[id] == "contradicted"


def test_how_near_a_variant_without_grokking_came_stands_beside_the_verdict(study, judge):
    finding = judge("E1", study())
    assert "p101_s999_d598, 5 at epoch 0 with a test accuracy of 0, and 5 at epoch 25,000" in finding.limits


@pytest.mark.parametrize(
    ("id", "drop"),
    [("E1", (97, 485)), ("E2", (97, 485)), ("E3", (97, 485)), ("E4", (101, 485)), ("E5a", (97, 485))],
)
def test_an_expected_outcome_is_undecided_while_a_variant_is_missing(study, id, drop, expected):
    found = expected(study(drop=(drop,)))
    assert found[id] == "undecided"


def test_an_unfinished_variant_is_not_a_failed_one(study, judge):
    evidence = study(change={(101, 999): {"last": 9000}})
    assert [row.key for row in evidence.open] == ["p101_s999_d598"]
    assert evidence.failed == ()
    assert judge("E1", evidence).verdict == "undecided"


def test_blobs_are_not_necessary_when_a_renamed_run_groks_without(study, judge):
    finding = judge("H1", study(change={(97, 485): {"renamed_blobs": 2}}))
    assert finding.verdict == "contradicted"
    assert finding.numbers["without"] == "none"
    assert finding.numbers["renamed"] == "p97_s485_d598"
    assert finding.numbers["least_renamed"] == 2


def test_blobs_are_not_necessary_when_a_run_groks_without(study, judge):
    finding = judge("H1", study(change={(97, 485): {"blobs": 3}}))
    assert (finding.verdict, finding.numbers["without"]) == ("contradicted", "p97_s485_d598")


def test_blobs_look_necessary_when_every_run_under_every_name_has_them(study, judge):
    assert judge("H1", study()).verdict == "supported"


def test_necessity_is_undecided_while_a_variant_is_unfinished(study, judge):
    evidence = study(change={(101, 999): {"last": 9000}})
    assert judge("H1", evidence).verdict == "undecided"


def test_early_blobs_predict_when_order_and_control_agree(study, judge):
    finding = judge("H2", study())
    assert finding.verdict == "supported"
    assert finding.numbers["rho"] == pytest.approx(-1)
    assert finding.numbers["p"] == pytest.approx(2 / math.factorial(8))
    assert (finding.numbers["within"], finding.numbers["pairs"]) == (4, 4)


def test_early_coarseness_the_other_way_round_contradicts(study, outcomes, judge):
    change = {key: {"early": 0.1 + (epoch or 13_000) / 50_000} for key, epoch in outcomes.items()}
    assert judge("H2", study(change=change)).verdict == "contradicted"


def test_prediction_is_undecided_without_an_order(study, outcomes, judge):
    early = dict(zip(outcomes, (0.2, 0.5, 0.1, 0.3, 0.22, 0.41, 0.15, 0.33), strict=True))
    evidence = study(change={key: {"early": value} for key, value in early.items()})
    assert judge("H2", evidence).verdict == "undecided"


FAILING = [(97, 999), (101, 999), (109, 999), (113, 999), (113, 485)]


def test_one_failure_leaves_a_minimum_undecided_whatever_it_had(study, judge):
    for blobs in (3, 100):
        finding = judge("H3", study(change={(101, 999): {"blobs": blobs}}))
        assert finding.verdict == "undecided"


@pytest.mark.parametrize(
    ("low", "verdict", "below"), [(5, "supported", 5), (3, "undecided", 3), (0, "contradicted", 0)]
)
def test_a_minimum_needs_five_failures_and_most_of_them_below(study, judge, low, verdict, below):
    change = {key: {"epoch": None, "blobs": 3 if i < low else 100} for i, key in enumerate(FAILING)}
    finding = judge("H3", study(change=change))
    assert (finding.verdict, finding.numbers["below"]) == (verdict, below)
    assert finding.test.p_value == pytest.approx(min(1, 2 * math.comb(8 - low, 5 - low) / math.comb(8, 5)))


def test_two_seeds_can_not_show_that_a_modulus_is_harder(study, judge):
    finding = judge("H4", study())
    assert finding.verdict == "undecided"
    assert finding.numbers["chance"] == pytest.approx(1 / 16)
    assert finding.numbers["wanted"] == 3


def test_three_seeds_can(study, outcomes, judge):
    more = {**outcomes, (97, 7): 5000, (101, 7): 9000, (109, 7): 4000, (113, 7): 6000}
    finding = judge("H4", study(grokked=more))
    assert (finding.verdict, finding.numbers["chance"]) == ("supported", pytest.approx(1 / 64))


def test_a_slower_modulus_contradicts_that_101_is_hardest(study, judge):
    finding = judge("H4", study(change={(97, 485): {"epoch": 10_500}}))
    assert finding.verdict == "contradicted"


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"blobs": 100}, "contradicted"),
        ({"blobs": 0, "renamed_blobs": 0}, "supported"),
        ({"blobs": 0, "renamed_blobs": 40}, "undecided"),
        ({"blobs": 0, "renamed_blobs": 0, "last": 9000}, "undecided"),
    ],
)
def test_whether_a_pair_prevents_blobs_depends_on_its_blobs_under_every_name(study, settings, verdict, judge):
    finding = judge("H5", study(change={(101, 999): settings}))
    assert finding.verdict == verdict


def test_coarseness_that_rises_before_every_drop_supports_that_it_comes_first(study, outcomes, judge):
    evidence = study(change={key: {"rise": (epoch or 13_000) - 1500} for key, epoch in outcomes.items()})
    finding = judge("Q2", evidence)
    assert (finding.verdict, finding.numbers["num_before"]) == ("supported", 7)
    assert finding.numbers["p"] == pytest.approx(2 / 2**7)


def test_coarseness_that_rises_after_every_drop_contradicts_it(study, outcomes, judge):
    evidence = study(
        change={key: {"rise": (epoch or 13_000) + 1500, "early": 0.2} for key, epoch in outcomes.items()}
    )
    finding = judge("Q2", evidence)
    assert (finding.verdict, finding.numbers["num_after"]) == ("contradicted", 7)


def test_a_rise_within_the_interval_of_the_drop_is_with_it(study, outcomes, judge):
    evidence = study(change={key: {"rise": epoch or 13_000} for key, epoch in outcomes.items()})
    finding = judge("Q2", evidence)
    assert finding.numbers["num_with"] + finding.numbers["num_before"] + finding.numbers["num_after"] == 7
    assert finding.verdict == "undecided"


def test_rise_and_drop_are_halfway_points():
    epochs = np.array([0.0, 100, 200, 300])
    assert rise_interval(epochs, np.array([0.1, 0.2, 0.4, 0.5]), least=0.05) == (100, 200)
    assert rise_interval(epochs, np.array([0.1, 0.1, 0.12, 0.1]), least=0.05) is None
    assert rise_interval(np.empty(0), np.empty(0), least=0.05) is None
    # Between 4 and 0.01 the geometric mean is 0.2; the drop at 100 does not stay.
    assert drop_epoch(epochs, np.array([4.0, 0.1, 0.3, 0.05]), to=0.01) == 300
    assert math.isnan(drop_epoch(epochs, np.array([4.0, 4, 4, 4]), to=0.01))


def test_neurons_common_to_all_runs_are_held_against_chance(study, outcomes, judge):
    same = study(change={key: {"neurons": range(30)} for key in outcomes})
    assert judge("Q3", same).verdict == "supported"


def test_no_common_neuron_contradicts_that_some_must(study, outcomes, judge):
    apart = study(change={key: {"neurons": range(i * 60, i * 60 + 60)} for i, key in enumerate(outcomes)})
    finding = judge("Q3", apart)
    assert (finding.verdict, finding.numbers["common"]) == ("contradicted", 0)


def test_one_failure_can_be_parted_but_not_told_from_chance(study, judge):
    for rule in ("Q1", "Q5"):
        finding = judge(rule, study(change={(101, 999): {"early": 0.05}}))
        assert finding.verdict == "undecided"
        assert "average blobs" in str(finding.numbers["parting"])
        # Two-sided: of the eight places of the failure the first and the last are as far out.
        assert finding.numbers["least"] == pytest.approx(2 / 8)


def test_a_failure_in_the_middle_of_all_measures_is_one_and_shows_nothing(study, judge):
    finding = judge("Q1", study(change={(101, 999): {"early": 0.33}}))
    assert (finding.verdict, finding.numbers["parting"]) == ("undecided", "none")


def test_five_failures_that_nothing_parts_contradict_that_something_does(study, outcomes, judge):
    more = {**outcomes, **{(p, 7): outcomes[p, 485] for p in (97, 101, 109, 113)}}
    change = {key: {"epoch": None, "early": 0.3} for key in FAILING}
    change |= {key: {"early": 0.2 + 0.02 * i} for i, key in enumerate(more) if key not in FAILING}
    assert judge("Q1", study(grokked=more, change=change)).verdict == "contradicted"


def test_without_a_failure_nothing_is_known_of_predicting_it(study, judge):
    finding = judge("Q5", study(change={(101, 999): {"epoch": 20_000}}))
    assert finding.verdict == "undecided"
    assert finding.answer.startswith("0 variants are known to have failed and 8 grok")


def test_two_variants_can_not_show_that_a_modulus_starts_different(study, judge):
    finding = judge("Q4", study())
    assert finding.verdict == "undecided"
    assert finding.numbers["least"] == pytest.approx(2 / 28)
    # The disc's radius is whole: int(0.125 p) is 12, 12, 13, 14.
    assert finding.numbers["disc"] == pytest.approx(0.0431, abs=2e-4)
    assert finding.numbers["disc_most"] == pytest.approx(0.0479, abs=5e-4)


def test_no_grok_is_named_and_not_unknown(study, judge):
    evidence = study(change={(101, 485): {"epoch": None}, (109, 485): {"epoch": None}})
    for rule in ("E3", "E4"):
        finding = judge(rule, evidence)
        assert "no grok by 25,000" in finding.answer
        assert "unknown" not in finding.answer


def test_frequencies_stay_only_if_they_settle_before_grokking(study, judge):
    assert judge("E5b", study()).verdict == "supported"  # from epoch 500 on
    late = judge("E5b", study(change={key: {"stable": False} for key in ALL}))
    assert (late.verdict, late.numbers["after"]) == ("contradicted", 7)


def test_with_nothing_at_all_everything_is_undecided(study, outcomes, eight_models):
    for judged in judge_all(study(drop=tuple(outcomes)), FAMILY, eight_models.claims):
        assert judged.verdict == "undecided", judged.id
        assert judged.answer
