import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdw.errors import BadConfig, NotFound
from tdw.families.modulo_addition_1layer.config import Config
from tdw.families.modulo_addition_1layer.summaries.learning.grokking import (
    SUMMARY,
    Parameters,
    compute,
    grokking_epoch,
)
from tdw.recipes.summary import Inputs

CONFIG = Config(7, seed=1)


NAN = float("nan")


def epoch_of(losses, **options):
    values = np.array(losses, np.float64)
    return grokking_epoch(np.arange(len(values)) * 10, values, **options)


def table(losses, accuracies=None, **options):
    epochs = np.arange(len(losses))
    history = pd.DataFrame(
        {
            "epoch": epochs,
            "train_loss": 1.0,
            "test_loss": np.array(losses, np.float64),
            "test_accuracy": np.array(accuracies or [NAN] * len(losses), np.float64),
        }
    )
    return compute(Inputs(CONFIG, (), {}, history), Parameters(**options))


def test_it_is_the_first_evaluated_epoch_from_which_on_the_loss_stays_below():
    assert epoch_of([1, 0.5, 0.009, 0.005]) == 20


def test_a_later_spike_moves_it_behind_the_spike():
    assert epoch_of([1, 0.001, 0.001, 0.5, 0.002, 0.001]) == 40


def test_the_threshold_itself_is_not_below():
    assert epoch_of([1, 0.01, 0.0099]) == 20


def test_epochs_without_an_evaluation_neither_count_nor_interrupt():
    assert epoch_of([1, NAN, 0.005, NAN, 0.001, NAN]) == 20
    assert epoch_of([1, 0.5, NAN, NAN, 0.001]) == 40


def test_a_loss_that_never_stays_below_is_no_grok():
    assert epoch_of([1, 0.001, 0.02]) is None
    assert epoch_of([1, NAN]) is None


def test_a_loss_that_overflowed_is_above():
    assert epoch_of([1, 0.001, np.inf, 0.001]) == 30


def test_by_accuracy_it_has_to_stay_at_or_above():
    rule = Parameters(metric="test_accuracy")
    assert epoch_of([0.1, 0.98, 0.99, 1.0], parameters=rule) == 20
    assert epoch_of([0.1, 1.0, 0.98], parameters=rule) is None


@given(st.lists(st.sampled_from([NAN, 1.0, 0.02, 0.01, 0.005, 0.0]), min_size=1, max_size=30))
def test_it_agrees_with_the_definition_read_aloud(losses):
    evaluated = [i for i, loss in enumerate(losses) if loss == loss]
    stays = [i for i in evaluated if all(losses[j] < 0.01 for j in evaluated if j >= i)]
    assert epoch_of(losses) == (10 * stays[0] if stays else None)


def test_a_variant_that_groks_has_a_number_and_is_not_censored():
    (row,) = table([1, 0.001, 0.2, 0.001, NAN], [0, 1, 0.9, 1, NAN]).to_dict("records")
    assert row["grokked"]
    assert row["grokking_epoch"] == 3
    assert pd.isna(row["censored_at"])
    assert row["first_crossing_epoch"] == 1
    assert (row["last_evaluated_epoch"], row["num_evaluated"]) == (3, 4)
    assert (row["grokking_epoch_by_loss"], row["grokking_epoch_by_accuracy"]) == (3, 3)
    assert row["final_test_loss"] == 0.001


def test_no_grok_is_censored_at_the_last_evaluated_epoch_and_never_a_number():
    found = table([1, 0.001, 0.2, NAN], [0, 0.5, 0.9, NAN])
    (row,) = found.to_dict("records")
    assert not row["grokked"]
    assert pd.isna(row["grokking_epoch"])
    assert row["censored_at"] == 2
    assert str(found["grokking_epoch"].dtype) == "Int64"
    assert SUMMARY.describe(found) == {"grokking_epoch": "no grok by epoch 2"}


def test_the_rule_in_force_is_in_the_table():
    (row,) = table([1, 1], [0.5, 0.97], metric="test_accuracy", threshold=0.95).to_dict("records")
    assert (row["metric"], row["threshold"], row["grokking_epoch"]) == ("test_accuracy", 0.95, 1)
    assert "test_accuracy >= 0.95" in row["rule"]
    # The other columns keep the metrics' own thresholds.
    assert pd.isna(row["grokking_epoch_by_accuracy"])


def test_a_history_without_evaluations_is_an_error():
    with pytest.raises(NotFound, match="test_loss"):
        table([NAN, NAN])


@pytest.mark.parametrize("values", [{"metric": "train_loss"}, {"threshold": 0}, {"threshold": "low"}])
def test_a_rule_that_makes_no_sense_is_refused(values):
    with pytest.raises(BadConfig, match=next(iter(values))):
        Parameters(**values)
