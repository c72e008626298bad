"""The adaptive rule puts checkpoints where test loss falls, the same for all variants, and nowhere else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.study.extra_epochs_rule import AdaptiveRule, adaptive_epochs

SCHEDULE = tuple(range(0, 10_001, 500))


def grokking(at: int, *, last: int = 10_000, every: int = 10, spikes: bool = False) -> pd.DataFrame:
    """A test loss that stays at 10 and falls to 1e-4 within a few hundred epochs around `at`."""
    epochs = np.arange(0, last + 1, every)
    log = 1 - 5 / (1 + np.exp(-(epochs - at) / 60))
    if spikes:
        log[3::7] += 0.8
    return pd.DataFrame({"epoch": epochs, "test_loss": 10**log})


def test_extra_epochs_lie_where_the_loss_falls() -> None:
    extra = adaptive_epochs({"a": grokking(6200)}, SCHEDULE)
    assert len(extra) > 15
    assert all(5800 < epoch < 6600 for epoch in extra)
    assert not set(extra) & set(SCHEDULE)


def test_every_variant_gets_its_fall_covered() -> None:
    extra = adaptive_epochs({"a": grokking(2250), "b": grokking(7750)}, SCHEDULE)
    assert any(abs(epoch - 2250) < 100 for epoch in extra)
    assert any(abs(epoch - 7750) < 100 for epoch in extra)
    assert not any(3500 < epoch < 6500 for epoch in extra)


def test_between_two_checkpoints_the_loss_falls_no_further_than_the_rule_says() -> None:
    history = grokking(6200)
    rule = AdaptiveRule(decades_per_checkpoint=0.5, max_extra=100, min_gap=1)
    epochs = sorted({*SCHEDULE, *adaptive_epochs({"a": history}, SCHEDULE, rule=rule)})
    loss = history.set_index("epoch").test_loss
    falls = -np.diff(np.log10(loss[epochs]))
    assert falls.max() < 0.5 + np.abs(np.diff(np.log10(loss))).max()


def test_spikes_and_rising_loss_deserve_nothing() -> None:
    flat = pd.DataFrame({"epoch": np.arange(0, 5000, 10), "test_loss": np.linspace(4, 12, 500)})
    assert adaptive_epochs({"a": flat}, SCHEDULE) == ()
    spiky = adaptive_epochs({"a": grokking(6200, spikes=True)}, SCHEDULE)
    assert spiky
    assert all(5800 < epoch < 6600 for epoch in spiky)


@given(st.integers(1, 80), st.integers(1, 200), st.lists(st.integers(500, 9500), min_size=1, max_size=4))
def test_the_limits_hold_and_order_does_not_matter(most: int, gap: int, at: list[int]) -> None:
    rule = AdaptiveRule(max_extra=most, min_gap=gap)
    histories = {str(i): grokking(epoch) for i, epoch in enumerate(at)}
    extra = adaptive_epochs(histories, SCHEDULE, rule=rule)
    assert len(extra) <= most
    together = sorted({*extra, *SCHEDULE})
    assert all(min(abs(e - o) for o in together if o != e) >= gap for e in extra)
    assert adaptive_epochs(dict(reversed(histories.items())), SCHEDULE, rule=rule) == extra


def test_only_epochs_that_all_variants_have_reached_count() -> None:
    extra = adaptive_epochs({"a": grokking(6200), "b": grokking(9000, last=6000)}, SCHEDULE)
    assert extra
    assert max(extra) <= 6000


def test_no_history_gives_no_epochs() -> None:
    unevaluated = pd.DataFrame({"epoch": [0, 1], "test_loss": [np.nan, np.nan]})
    assert adaptive_epochs({}, SCHEDULE) == ()
    assert adaptive_epochs({"a": unevaluated, "b": grokking(6200)}, SCHEDULE) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"decades_per_checkpoint": 0.0},
        {"decades_per_checkpoint": float("nan")},
        {"max_extra": 0},
        {"min_gap": 0},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields: dict[str, float]) -> None:
    with pytest.raises(BadConfig, match=next(iter(fields))):
        AdaptiveRule(**fields)  # pyright: ignore[reportArgumentType]
