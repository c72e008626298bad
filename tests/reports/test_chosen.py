"""Variants that a person chose, side by side."""

from __future__ import annotations

import math

import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.making.comparison import compare
from tdw.recipes.common.outcome_figures import OUTCOMES, SURVIVAL
from tdw.recipes.reading.variant_tables import read_tables
from tdw.reports.chosen import choose
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")
P = (97, 101, 109, 113)


def every():
    return [FAMILY.make_config(p=p, seed=seed) for p in P for seed in (485, 999)]


def test_two_variants_differ_in_all_that_they_differ_in(study_store: Store) -> None:
    pair = [FAMILY.make_config(p=97, seed=485), FAMILY.make_config(p=113, seed=999)]
    chosen = choose(study_store, FAMILY, [[config] for config in pair])
    assert chosen.title == "p = 97, seed = 485 and p = 113, seed = 999"
    assert list(chosen.settings.index) == ["p", "seed"]
    assert chosen.settings.to_numpy().tolist() == [["97", "113"], ["485", "999"]]
    rows = chosen.numbers[chosen.numbers["quantity"] == "grokking_epoch"]
    assert rows["mean"].tolist() == [9000, 12_000] and rows["p_value"].isna().all()
    assert chosen.report().title == chosen.title


def test_groups_by_a_field_have_means_and_an_exact_test(study_store: Store) -> None:
    chosen = choose(study_store, FAMILY, [every()], by=["seed"])
    assert [side.name for side in chosen.sides] == ["seed = 485", "seed = 999"]
    first, second = chosen.numbers[chosen.numbers["quantity"] == "grokking_epoch"].to_dict("records")
    assert (first["n"], first["none"], first["mean"], first["low"], first["high"]) == (
        4,
        0,
        8000,
        6000,
        10_000,
    )
    assert (second["n"], second["none"]) == (3, 1) and second["mean"] == pytest.approx(10_500)
    test = {each.name: each.test.p_value for each in chosen.report().differences}
    assert first["p_value"] == pytest.approx(test["grokking_epoch"])
    assert chosen.within == ("p",)


def test_more_than_two_groups_have_no_test_and_no_report_of_two(study_store: Store) -> None:
    chosen = choose(study_store, FAMILY, [every()], by=["p"])
    assert chosen.numbers["p_value"].isna().all()
    with pytest.raises(BadConfig, match="two sides, not of 4"):
        chosen.report()


def test_the_table_is_that_of_a_study_of_these_variants_alone(study_store: Store) -> None:
    some = every()[:3]
    chosen = choose(study_store, FAMILY, [some])
    assert chosen.table.equals(compare(FAMILY, read_tables(study_store, FAMILY, some)))
    assert chosen.associations is not None and len(chosen.associations)


def test_figures_over_the_outcome_need_no_study_and_show_the_groups(
    study_store: Store,
) -> None:
    some = [config for config in every() if config.p in (97, 101)]
    grouped = choose(study_store, FAMILY, [some], by=["p"])
    names = [trace.name for trace in grouped.plot(SURVIVAL).data if trace.showlegend is not False]
    assert names == ["p = 97 (2 of 2 grokked)", "p = 101 (1 of 2 grokked)"]
    assert set(grouped.draw(OUTCOMES).table["variant"]) == {config.key for config in some}
    apart = choose(study_store, FAMILY, [some])
    assert len(apart.plot(OUTCOMES).data) == len(some)


def test_groups_that_a_person_made_are_colored_and_named_in_the_early_figure(study_store: Store) -> None:
    groups = [every()[:2], every()[4:6]]
    figure = choose(study_store, FAMILY, groups).plot("early_coarseness")
    shown = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert shown == ["p = 97", "p = 109"]


@pytest.mark.parametrize(
    ("groups", "by", "said"),
    [
        ([[]], (), "no variant to compare, or an empty group"),
        ([every()[:1], every()[:1]], (), "p97_s485_d598 is named twice"),
        ([every()[:2], every()[2:4]], ("p",), "groups are given, and fields"),
        ([every()], ("flavor",), "no field 'flavor'"),
    ],
)
def test_what_can_not_be_compared_is_refused(study_store: Store, groups, by, said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        choose(study_store, FAMILY, groups, by=by)


def test_a_variant_without_anything_has_a_column_without_numbers(study_store: Store) -> None:
    unknown = FAMILY.make_config(p=59, seed=1)
    chosen = choose(study_store, FAMILY, [[unknown], every()[:1]])
    rows = chosen.numbers[chosen.numbers["quantity"] == "grokking_epoch"]
    assert rows["n"].tolist() == [0, 1] and math.isnan(rows["mean"].iloc[0])
