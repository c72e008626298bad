"""The comparison report (R2) of two variants and of two groups."""

from __future__ import annotations

import json
import math
import re

import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.reports.comparison_report import comparison_report, quantities_of
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")
P = (97, 101, 109, 113)


def seed_group(seed: int):
    return [FAMILY.make_config(p=p, seed=seed) for p in P]


def test_two_variants_are_put_side_by_side_and_not_tested(study_store: Store) -> None:
    first, second = (FAMILY.make_config(p=109, seed=seed) for seed in (485, 999))
    report = comparison_report(study_store, FAMILY, [first], [second])
    assert report.title == "seed = 485 and seed = 999"
    assert "| seed | 485 | 999 |" in report.markdown
    assert "p = 109" in report.markdown
    (row,) = [line for line in report.markdown.splitlines() if line.startswith("| grokking epoch (")]
    assert "| 6,000 (n = 1) | 8,500 (n = 1) | 2,500 | not tested |" in row
    assert "nothing is tested" in report.markdown


def test_two_groups_are_tested_exactly(study_store: Store) -> None:
    report = comparison_report(
        study_store, FAMILY, seed_group(485), seed_group(999), names=("seed 485", "seed 999")
    )
    (found,) = [d for d in report.differences if d.name == "grokking_epoch"]
    assert sorted(found.first) == [6000, 7000, 9000, 10_000]
    # p=101, seed=999 did not grok: later than all, so it is ranked last and not dropped.
    assert sorted(found.second) == [8500, 11_000, 12_000, math.inf]
    # Of the 16 pairs only 9000 and 10,000 against 8500 are the other way round.
    assert found.test.auc == pytest.approx(2 / 16)
    row = next(line for line in report.markdown.splitlines() if line.startswith("| grokking epoch ("))
    assert "(n = 4)" in row
    assert "(n = 3, and 1 no grok)" in row
    stored = {r["name"]: r for r in json.loads(report.files["differences.json"])}
    assert list(stored) == [quantity.column for quantity in quantities_of(FAMILY)]
    assert stored["grokking_epoch"]["p_value"] == pytest.approx(found.test.p_value)
    assert "no grok by 25,000" in report.markdown


def test_the_page_needs_nothing_from_elsewhere(study_store: Store) -> None:
    report = comparison_report(study_store, FAMILY, seed_group(485), seed_group(999))
    assert len(re.findall(r'<img src="data:image/svg\+xml', report.html)) == 6
    assert not re.search(r'src="(?!data:)', report.html)


def test_variants_without_anything_are_shown_as_such(study_store: Store) -> None:
    known, unknown = FAMILY.make_config(p=97, seed=485), FAMILY.make_config(p=97, seed=1)
    report = comparison_report(study_store, FAMILY, [known], [unknown])
    (row,) = [line for line in report.markdown.splitlines() if line.startswith("| p97_s1_d598 |")]
    assert "not known yet" in row
    assert "no, not begun" in row


def test_empty_and_overlapping_groups_are_refused(study_store: Store) -> None:
    config = FAMILY.make_config(p=97, seed=485)
    for groups in (([], [config]), ([config], [config])):
        with pytest.raises(BadConfig, match="empty or overlap"):
            comparison_report(study_store, FAMILY, *groups)
