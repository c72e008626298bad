"""Stretches visit what is wanted, start at saved states, and never overlap."""

from hypothesis import given
from hypothesis import strategies as st

from tdw.training.stretches import Stretch, cheapest_witness, plan_stretches

STATES = st.sets(st.integers(0, 300), max_size=8).map(sorted)
WANTED = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 40)).map(lambda at: (at[0], at[0] + at[1])), max_size=12
)


@given(WANTED, STATES)
def test_every_wanted_epoch_is_visited_from_a_saved_state(
    wanted: list[tuple[int, int]], states: list[int]
) -> None:
    stretches = plan_stretches(wanted, states)
    visited = [epoch for stretch in stretches for epoch in range(stretch.start, stretch.stop + 1)]
    assert visited == sorted(set(visited))
    assert {epoch for first, last in wanted for epoch in range(first, last + 1)} <= set(visited)
    assert all(stretch.start in {0, *states} for stretch in stretches)


@given(st.sets(st.integers(0, 300), max_size=12), STATES)
def test_no_step_is_taken_that_a_saved_state_would_have_saved(wanted: set[int], states: list[int]) -> None:
    taken = {
        step
        for stretch in plan_stretches([(epoch, epoch) for epoch in wanted], states)
        for step in range(stretch.start, stretch.stop)
    }
    nearest = {epoch: max(state for state in {0, *states} if state <= epoch) for epoch in wanted}
    assert taken == {step for epoch in wanted for step in range(nearest[epoch], epoch)}


def test_a_far_epoch_is_reached_from_its_own_state() -> None:
    states = list(range(1000, 26_000, 1000))
    assert plan_stretches([(57, 57), (24_950, 24_950)], states) == (Stretch(0, 57), Stretch(24_000, 24_950))


def test_the_cheapest_witness_is_the_shortest_way_to_a_known_result() -> None:
    assert cheapest_witness({0, 100, 1000, 1010, 2000}, [1000, 2000]) == Stretch(1000, 1010)
    assert cheapest_witness({1000}, [1000]) == Stretch(0, 1000)
    assert cheapest_witness({0}, []) is None
