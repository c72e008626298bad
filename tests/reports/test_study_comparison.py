"""The comparison report of a study (R2, as an asset): groups by a rule, censoring kept, nothing promised."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from tdw.families import get_family
from tdw.reports.evidence import read_evidence
from tdw.reports.groupings import further, groupings
from tdw.reports.study_comparison import NAME, study_comparison, write_study_comparison
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")


@pytest.fixture
def configs(outcomes):
    return [FAMILY.make_config(p=p, seed=seed) for p, seed in outcomes]


def test_parameters_that_vary_and_the_outcome_make_the_groups(study_store: Store, configs) -> None:
    rows = read_evidence(study_store, FAMILY, configs).rows
    found = {grouping.names: grouping.keys for grouping in groupings(FAMILY, configs, rows)}
    assert list(found) == [
        *((f"p = {p}", "other p") for p in (97, 101, 109, 113)),
        ("seed = 485", "seed = 999"),
        ("grokked", "no grok"),
    ]
    assert found["p = 101", "other p"][0] == {"p101_s485_d598", "p101_s999_d598"}
    assert all(len(first | second) == 8 and not first & second for first, second in found.values())
    assert found["grokked", "no grok"][1] == {"p101_s999_d598"}


def test_no_division_occurs_twice_and_a_parameter_with_many_values_is_none(study_store: Store) -> None:
    # Modulus and seed divide these two alike: the names say both.
    two = [FAMILY.make_config(p=97, seed=485), FAMILY.make_config(p=113, seed=999)]
    assert [g.names for g in groupings(FAMILY, two)] == [("p = 97, seed = 485", "p = 113, seed = 999")]
    many = [FAMILY.make_config(p=97, seed=seed) for seed in range(9)]
    assert groupings(FAMILY, many) == []
    assert len(groupings(FAMILY, many[:8])) == 8


def test_what_else_differs_between_the_sides_is_said() -> None:
    three = [FAMILY.make_config(p=p, seed=seed) for p, seed in ((97, 485), (97, 999), (113, 485))]
    by_modulus, by_seed = groupings(FAMILY, three)
    assert further(FAMILY, three, by_modulus) == "**They also differ in**: seed (485, 999 and 485)."
    assert further(FAMILY, three, by_seed) == "**They also differ in**: p (97, 113 and 97)."
    whole = [*three, FAMILY.make_config(p=113, seed=999)]
    assert [further(FAMILY, whole, each) for each in groupings(FAMILY, whole)] == ["", ""]


def test_a_censored_variant_is_last_in_the_test_and_not_in_the_mean(study_store: Store, configs) -> None:
    report = study_comparison(study_store, FAMILY, configs)
    by_name = {g.names: {d.name: d for d in found} for g, found in report.groupings}
    found = by_name["seed = 485", "seed = 999"]["grokking_epoch"]
    assert sorted(found.second) == [8500, 11_000, 12_000, math.inf]
    # Ranks of seed 485 by hand: 6000, 7000, 9000, 10000 are 1, 2, 4, 5 of 8; 12 of 2 * 70 / 2 divisions ...
    assert found.test.auc == pytest.approx(2 / 16)
    assert found.test.p_value == pytest.approx(
        8 / 70
    )  # ... of which 4 have a sum of 12 or less, 4 of 24 or more
    section = report.markdown.split("seed = 485 and seed = 999\n")[1]
    assert "10,500 (n = 3, and 1 no grok)" in section
    stored = json.loads(report.files["differences.json"])
    (quantity,) = [q for s in stored if s["groups"] == ["seed = 485", "seed = 999"]
                   for q in s["quantities"] if q["name"] == "grokking_epoch"]  # fmt: skip
    assert None in quantity["second"]


def test_groups_made_by_the_outcome_are_not_compared_in_it(study_store: Store, configs) -> None:
    report = study_comparison(study_store, FAMILY, configs)
    grouping, found = report.groupings[-1]
    assert grouping.names == ("grokked", "no grok")
    assert not {d.name for d in found} & {"grokking_epoch", "final_test_loss", "final_test_accuracy"}
    assert "not tested: one variant on a side" in report.markdown


def test_what_so_few_variants_can_show_stands_beside_the_numbers(study_store: Store, configs) -> None:
    report = study_comparison(study_store, FAMILY, configs)
    (row,) = [line for line in report.markdown.splitlines() if line.startswith("| 2 | p = 101 and other p |")]
    assert row.endswith("| 0.07143 |")  # 2 / C(8, 2), two-sided: no p-value of 2 against 6 is below 0.05
    assert report.markdown.count("**What this can't say.**") == len(report.groupings) == 6
    assert "relabelling control" in report.markdown


def test_the_page_needs_nothing_from_elsewhere_and_comes_out_alike(study_store: Store, configs) -> None:
    first, second = (study_comparison(study_store, FAMILY, configs) for _ in range(2))
    assert first.files == second.files
    pictures = [name for name in first.files if name.endswith(".svg")]
    assert len(re.findall(r'<img src="data:image/svg\+xml', first.html)) == len(pictures) == 12
    assert not re.search(r'src="(?!data:)', first.html)


def test_a_study_without_groups_says_so(tiny_store: Store, tmp_path: Path) -> None:
    config = FAMILY.parse_variant("p7_s1_d598_f0.5")
    report = study_comparison(tiny_store, FAMILY, [config], early_epoch=10, last_epoch=20)
    assert report.groupings == ()
    assert "there is nothing to compare yet" in report.markdown


def test_it_is_committed_with_what_it_was_made_from(study_store: Store, configs, eight_models) -> None:
    write_study_comparison(study_store, FAMILY, configs, study=eight_models)
    bundle = study_store.read_document(FAMILY.name, eight_models.folder, NAME)
    assert bundle.read("report.html").startswith(b"<!doctype html>")
    assert "p97_s485_d598/coarseness" in bundle.provenance.inputs
