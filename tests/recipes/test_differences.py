"""What stands side by side is named by every field in which it differs."""

import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.consistency.differences import alike, differing, grouped, sides_of

FAMILY = get_family("modulo_addition_1layer")


def variants(*keys: str):
    return [FAMILY.parse_variant(key) for key in keys]


def test_two_variants_are_named_by_all_that_differs_and_by_nothing_else() -> None:
    one, other = variants("p47_s7_d598", "p59_s8_d598_f0.4")
    assert [side.name for side in sides_of(FAMILY, [[one], [other]])] == [
        "p = 47, seed = 7, train_fraction = 0.3",
        "p = 59, seed = 8, train_fraction = 0.4",
    ]
    assert alike(FAMILY, [one, other])["data_seed"] == 598 and "seed" not in alike(FAMILY, [one, other])


def test_a_field_that_varies_alike_on_both_sides_is_no_difference() -> None:
    every = variants("p47_s1_d598", "p47_s2_d598", "p59_s1_d598", "p59_s2_d598")
    sides = grouped(FAMILY, every, ["p"])
    assert [(side.name, side.keys) for side in sides] == [
        ("p = 47", ("p47_s1_d598", "p47_s2_d598")),
        ("p = 59", ("p59_s1_d598", "p59_s2_d598")),
    ]


def test_groups_whose_seeds_differ_say_so() -> None:
    every = variants("p47_s1_d598", "p47_s2_d598", *(f"p59_s{seed}_d598" for seed in range(3, 9)))
    names = [side.name for side in grouped(FAMILY, every, ["p"])]
    assert names == ["p = 47, seed in {1, 2}", "p = 59, seed: 6 values, 3 to 8"]
    assert differing(FAMILY, [side.configs for side in grouped(FAMILY, every, ["p"])]) == ("p", "seed")


def test_groups_are_in_the_order_of_their_values_and_equal_ones_are_named_by_keys() -> None:
    every = variants("p113_s1_d598", "p59_s1_d598")
    assert [side.name for side in grouped(FAMILY, every, ["p"])] == ["p = 59", "p = 113"]
    one = variants("p59_s1_d598")
    assert [side.name for side in grouped(FAMILY, one, [])] == ["p59_s1_d598"]


def test_an_unknown_field_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadConfig, match=r"no field 'flavor'\n.*p, seed"):
        grouped(FAMILY, variants("p59_s1_d598"), ["flavor"])
