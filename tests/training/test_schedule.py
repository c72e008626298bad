"""Lists of epochs as people write them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.training import format_epochs, parse_epochs

EPOCHS = st.sets(st.integers(0, 30_000), max_size=60)


@given(EPOCHS)
def test_formatted_epochs_are_read_back(epochs: set[int]) -> None:
    assert (
        parse_epochs(format_epochs(epochs)) == tuple(sorted(epochs)) if epochs else not format_epochs(epochs)
    )


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 300))
def test_a_range_holds_both_ends_and_evenly_spaced_epochs(start: int, length: int, step: int) -> None:
    epochs = parse_epochs([f"{start}:{start + length}:{step}"])
    assert epochs[0] == start
    assert epochs[-1] == start + length
    assert set(range(start, start + length, step)) <= set(epochs)
    assert all(later - earlier <= step for earlier, later in pairwise(epochs))


@given(st.lists(EPOCHS, max_size=4))
def test_items_join_to_one_ascending_schedule(parts: list[set[int]]) -> None:
    items: list[int | str] = [epoch for part in parts for epoch in part]
    assert parse_epochs(items) == tuple(sorted(set().union(*parts)))


def test_the_default_schedule_is_the_published_one() -> None:
    epochs = parse_epochs(["0:1500:100", "1500:9000:500", "9000:13000:100", "13000:25000:500"])
    expected = {
        *range(0, 1501, 100),
        *range(1500, 9001, 500),
        *range(9000, 13001, 100),
        *range(13000, 25001, 500),
    }
    assert set(epochs) == expected
    assert len(epochs) == 95


def test_texts_may_be_joined_by_commas_and_spaced() -> None:
    assert parse_epochs("0, 3:5 ,100:300:100") == (0, 3, 4, 5, 100, 200, 300)
    assert format_epochs([0, 100, 200, 300, 307, 400]) == "0:300:100, 307, 400"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("1500:0:100", "ends before it starts"),
        ("0:100:0", "step of 0"),
        ("abc", "not an epoch"),
        ("", "not an epoch"),
        ("-5", "not an epoch"),
        (-5, "out of range"),
        (1.5, "not an epoch"),
        (True, "not an epoch"),
        ("1:2:3:4", "not an epoch"),
        ("٣", "not an epoch"),
        ("0:99999999:1", "wider step"),
        ("999999999999", "not an epoch"),
    ],
)
def test_a_wrong_item_is_named_with_a_remedy(item: object, message: str) -> None:
    with pytest.raises(BadConfig, match=message) as caught:
        parse_epochs([item])  # pyright: ignore[reportArgumentType]
    assert caught.value.remedy
