"""The preregistered rules of the hundred seeds: each verdict where its rule says so, on made-up runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from tdw.families import get_family
from tdw.recipes.reading.evidence import Evidence, Row
from tdw.reports.claims.registry import judge_all
from tdw.study import load_study

FAMILY = get_family("modulo_addition_1layer")
STUDY = load_study(Path(__file__).parents[3] / "studies" / "hundred_seeds")
EPOCHS = np.array([0, 500, 1000, 2300])
H = 29
Judge = Callable[..., dict]


def row_of(
    seed: int, epoch: float | None, *, contrast=0.1, blobs=50.0, observed=None, first=500, loss=6.0,
    keys=(5,), rise=500, gini=0.3,
) -> Row:  # fmt: skip
    """A run: contrast at epoch 500, blobs from `first` on, average coarseness that rises at `rise`."""
    signs = np.where(np.arange(H) % 2, 1, -1).astype(float)
    signs[0] = 0
    coarse = np.where(rise <= EPOCHS, 0.4, 0.1)[:, None] + contrast * signs / signs.std()
    number = np.where(first <= EPOCHS, blobs, 0)[:, None] + np.zeros(H)
    number[:, 0] = np.where(first <= EPOCHS, blobs if observed is None else observed, 0)
    dense = np.arange(0, 2301, 10)
    grid = {"epoch": np.repeat(EPOCHS, H), "c": np.tile(np.arange(1, H + 1), len(EPOCHS))}
    tables = {
        "history": pd.DataFrame({"epoch": dense, "test_loss": np.where(dense < (epoch or 9e9), 5.0, 1e-3)}),
        "relabelling": pd.DataFrame(
            {**grid, "mean_coarseness": coarse.ravel(), "num_blob_neurons": number.ravel()}
        ),
        "progress_measures": pd.DataFrame(
            {"epoch": EPOCHS, "test_loss": loss, "gini_W_E_frequencies": gini,
             "key_frequencies": " ".join(map(str, keys))}
        ),
    }  # fmt: skip
    at = math.nan if epoch is None else number[epoch <= EPOCHS][0, 0]
    return Row(
        config=FAMILY.make_config(p=59, seed=seed, train_fraction=0.47),
        outcome=FAMILY.outcome,
        reached=epoch is not None,
        epoch=math.nan if epoch is None else epoch,
        censored=2300 if epoch is None else math.nan,
        finished=True,
        early_epoch=500,
        values={"num_neurons": 512, "grokking_num_blobs": at},
        tables=tables,
        inputs={},
    )


@pytest.fixture
def judge() -> Judge:
    def judged(rows: list[Row], *ids: str) -> dict:
        times = {row.key: row.epoch if row.reached else math.inf for row in rows}
        evidence = Evidence(
            pd.DataFrame(), tuple(rows), times, early_epoch=500, last_epoch=2300, outcome=FAMILY.outcome
        )
        claims = [claim for claim in STUDY.claims if not ids or claim.id in ids]
        return {claim.id: claim for claim in judge_all(evidence, FAMILY, claims)}

    return judged


def test_every_claim_of_the_readme_is_judged_and_corrected_for_eight(judge):
    found = judge([row_of(seed, 700 + seed) for seed in range(20)])
    readme = (Path(__file__).parents[3] / "studies" / "hundred_seeds" / "README.md").read_text()
    for claim in STUDY.claims:
        assert f"| {claim.id} | {claim.claim} |" in readme
    assert list(found) == ["H1", "H2", "H3", "Q1", "Q2", "Q5", "B1", "K1"]
    assert {claim.test.claims for claim in found.values()} == {8}


def test_the_findings_can_be_written_where_some_runs_fail(judge):
    runs = [row_of(seed, None if seed < 6 else 700 + seed, blobs=seed + 1.0) for seed in range(20)]
    json.dumps([claim.to_json() for claim in judge(runs).values()])


@pytest.mark.parametrize(
    ("without", "n", "verdict"),
    [(0, 80, "supported"), (1, 60, "undecided"), (4, 80, "undecided"), (10, 60, "contradicted")],
)
def test_h1_is_a_binomial_test_against_one_in_twenty(judge, without, n, verdict):
    rows = [row_of(seed, 1000, observed=5 if seed < without else 6) for seed in range(n)]
    (claim,) = judge(rows, "H1").values()
    less = scipy.stats.binomtest(without, n, 0.05, alternative="less").pvalue
    more = scipy.stats.binomtest(without, n, 0.05, alternative="greater").pvalue
    assert claim.test.p_value == pytest.approx(min(1, 2 * min(less, more)))
    assert (claim.verdict, claim.numbers["without"]) == (verdict, without)
    assert claim.numbers["renamed_share"] == pytest.approx(without / n / H)


@pytest.mark.parametrize(("sign", "verdict"), [(-1, "supported"), (1, "contradicted")])
def test_h2_is_the_rank_correlation_of_contrast_with_no_grok_last(judge, sign, verdict):
    rows = [
        row_of(i, None if i > 24 else 600 + 10 * i, contrast=0.1 + sign * 0.002 * min(i, 25), loss=1)
        for i in range(30)
    ]  # fmt: skip
    (claim,) = judge(rows, "H2").values()
    assert claim.verdict == verdict
    assert claim.numbers["rho"] == pytest.approx(sign)
    assert math.isnan(claim.numbers["given"])  # all test losses are alike here


@pytest.mark.parametrize(
    ("early", "late", "verdict"),
    [((0.2, 0.1), (0.2, 0.1), "supported"), ((0.2, 0.1), (0.1, 0.2), "contradicted"),
     ((0.2, 0.1), (0.2, 0.2), "undecided")],
)  # fmt: skip
def test_q1_learns_a_threshold_from_some_seeds_and_is_judged_on_the_others(judge, early, late, verdict):
    rows = []
    for i in range(100):
        fails = i % 5 == 0
        rows.append(row_of(i, None if fails else 1000, contrast=(early if i < 50 else late)[fails]))
    (claim,) = judge(rows, "Q1").values()
    # The lowest value with the best sum of shares: that of the runs that grok among the first fifty.
    assert claim.numbers["threshold"] == pytest.approx(0.2)
    assert claim.verdict == verdict
    table = {"supported": [[40, 0], [0, 10]], "contradicted": [[0, 40], [10, 0]]}
    if verdict in table:
        assert claim.test.p_value == pytest.approx(scipy.stats.fisher_exact(table[verdict]).pvalue)


def test_q2_counts_on_which_side_of_the_drop_average_coarseness_rises(judge):
    before = [row_of(seed, 1500, rise=500) for seed in range(10)]
    after = [row_of(seed + 50, 700, rise=2300) for seed in range(10)]
    flat = [row_of(seed + 70, 700, rise=0) for seed in range(11)]
    assert judge(before, "Q2")["Q2"].verdict == "supported"
    assert judge(after, "Q2")["Q2"].verdict == "contradicted"
    assert judge(before + after, "Q2")["Q2"].verdict == "undecided"
    assert judge(before + flat, "Q2")["Q2"].verdict == "contradicted"  # most do not rise


def test_q5_takes_the_best_of_three_measures_and_corrects_for_them(judge):
    rows = [
        row_of(i, None if i % 4 == 0 else 1000, gini=0.3 + (i % 4 == 0) / 5 + i / 1e4, loss=i * 7 % 13)
        for i in range(40)
    ]  # fmt: skip
    (claim,) = judge(rows, "Q5").values()
    assert (claim.verdict, claim.numbers["auc"]) == ("supported", 1)
    assert claim.test.p_value == pytest.approx(3 * 2 / math.comb(40, 10))
    few = [row_of(i, None if i < 4 else 1000, gini=0.5 if i < 4 else 0.3) for i in range(60)]
    assert judge(few, "Q5")["Q5"].verdict == "undecided"  # four failures are too few


def test_b1_puts_a_run_without_a_blob_last(judge):
    rows = [row_of(i, 600 + 10 * i, first=500 if i < 8 else 1000 if i < 16 else 9999) for i in range(24)]
    (claim,) = judge(rows, "B1").values()
    assert claim.verdict == "supported"
    assert claim.numbers["n"] == 24


def test_k1_is_about_the_frequencies_of_the_runs_that_grok(judge):
    uneven = [row_of(i, 1000, keys=(5, 15, 21)) for i in range(20)]
    even = [row_of(i, 1000, keys=(i % H + 1,)) for i in range(2 * H)]
    fails = [row_of(90, None, keys=(1,))]
    (claim,) = judge(uneven + fails, "K1").values()
    assert (claim.verdict, claim.numbers["n"], claim.numbers["chosen"]) == ("supported", 20, 60)
    assert judge(even, "K1")["K1"].verdict == "undecided"
