import numpy as np
import pytest

from tdw.errors import BadConfig, NotFound
from tdw.recipes.common.outcome_classes import OUTCOMES, Rules, classify

EPOCHS = np.arange(0, 1001, 10)
MEMORIZED_AT = 100


def train(at=MEMORIZED_AT, scale=1.0):
    return scale * np.where(at > EPOCHS, 5.0, 1e-3)


def test_loss(start, end, *, peak=20.0, after=1e-3):
    """Rises to the peak at epoch 50, stays, falls linearly in its logarithm from `start` to `end`."""
    points = [(0, 5.0), (50, peak), (start, peak * 0.99), (end, peak * 0.0099), (1000, after)]
    x, y = zip(*points, strict=True)
    return np.exp(np.interp(EPOCHS, x, np.log(y)))


test_loss.__test__ = False


def naive(epochs, train_loss, test, rules):
    """The rules read word by word, with loops."""
    highest = max(test)
    peak = list(test).index(highest)
    memorized = start = end = rebound = None
    for e, value in zip(epochs, train_loss, strict=True):
        if memorized is None and value <= rules.memorized * train_loss[0]:
            memorized = e
    for e, value in list(zip(epochs, test, strict=True))[peak:]:
        if start is None and value <= rules.fall_starts * highest:
            start = e
        if start is not None and end is None and value <= rules.fall_ends * highest:
            end = e
        if end is not None and rebound is None and value >= rules.rebounds * highest:
            rebound = e
    return memorized, epochs[peak], start, end, rebound


def test_windows_agree_with_the_rules_read_word_by_word():
    rng = np.random.default_rng(3)
    for _ in range(200):
        noise = np.exp(rng.normal(0, 0.8, EPOCHS.size))
        losses = train() * noise[::-1], test_loss(*sorted(rng.integers([60, 65], [900, 905]))) * noise
        found = classify(EPOCHS, *losses)
        assert (
            found.memorized_epoch,
            found.peak_epoch,
            found.fall_start_epoch,
            found.fall_end_epoch,
            found.rebound_epoch,
        ) == naive(EPOCHS, *losses, Rules())


def test_every_outcome_can_be_reached():
    rebound = test_loss(300, 400)
    rebound[80] = 3.0
    never = np.full(EPOCHS.size, 20.0)
    cases = {
        "no memorization": (np.full(EPOCHS.size, 5.0), never),
        "no second descent": (train(), never),
        "unfinished descent": (train(), test_loss(800, 2000, after=1.0)),
        "rebound": (train(), rebound),
        "together": (train(), test_loss(60, 150)),
        "late": (train(), test_loss(300, 700)),
        "delayed": (train(), test_loss(300, 400)),
    }
    assert tuple(cases) == OUTCOMES
    for outcome, losses in cases.items():
        assert classify(EPOCHS, *losses).outcome == outcome


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_outcome_does_not_depend_on_the_unit_of_loss_or_of_time(scale):
    found = classify(EPOCHS * 7, train(scale=scale), scale * test_loss(300, 400))
    assert found.outcome == "delayed"
    assert found.memorized_epoch == 7 * MEMORIZED_AT


def test_windows_follow_each_other():
    found = classify(EPOCHS, train(), test_loss(300, 400))
    windows = found.windows
    assert list(windows) == ["memorization", "plateau", "fall", "after"]
    assert windows["memorization"] == (0, 100)
    assert windows["plateau"] == (100, windows["fall"][0])
    assert windows["fall"][1] == windows["after"][0]
    assert windows["after"][1] == 1000


def test_a_plateau_without_a_fall_lasts_to_the_end():
    found = classify(EPOCHS, train(), np.full(EPOCHS.size, 20.0))
    assert found.windows == {"memorization": (0, 100), "plateau": (100, 1000)}


def test_epochs_that_were_not_evaluated_are_left_out():
    test = test_loss(300, 400)
    sparse = test.copy()
    sparse[1::2] = np.nan
    found = classify(EPOCHS, train(), sparse)
    assert found == classify(EPOCHS[::2], train()[::2], test[::2])
    with pytest.raises(NotFound, match="train and test loss"):
        classify(EPOCHS, train(), np.full(EPOCHS.size, np.nan))


@pytest.mark.parametrize(
    "wrong", [{"fall_ends": 0.2}, {"rebounds": 0.9}, {"memorized": 0}, {"together": 0.5}]
)
def test_rules_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(BadConfig):
        Rules(**wrong)


def test_the_text_names_every_share():
    text = Rules(memorized=0.031, late=0.47).text
    assert "0.031" in text and "0.47" in text
