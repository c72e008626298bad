import math

import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.maths.learning.graduation import (
    accuracy_by_class,
    answers_of_pairs,
    graduation_epochs,
)

P = 7


def sums(p=P):
    return np.array([(a + b) % p for a in range(p) for b in range(p)])


def test_right_answers_and_their_probabilities_are_those_of_a_softmax_by_hand():
    logits = (np.random.default_rng(0).standard_normal((P * P, P)) * 5).astype(np.float32)
    before = logits.copy()
    right, confidence = answers_of_pairs(logits, sums())
    assert (logits == before).all()
    for a in range(P):
        for b in range(P):
            row = [float(x) for x in logits[a * P + b]]
            answer = (a + b) % P
            assert right[a, b] == (max(range(P), key=row.__getitem__) == answer)
            probability = math.exp(row[answer]) / sum(map(math.exp, row))
            assert confidence[a, b] == pytest.approx(probability, rel=1e-5)
    assert right.any() and not right.all()


def test_huge_logits_do_not_overflow():
    logits = np.full((P * P, P), -1e4, np.float32)
    logits[np.arange(P * P), sums()] = 1e4
    right, confidence = answers_of_pairs(logits, sums())
    assert right.all()
    assert (confidence == 1).all()


def test_accuracy_by_class_counts_the_pairs_of_each_sum():
    rng = np.random.default_rng(1)
    right, train = rng.random((P, P)) < 0.6, rng.random((P, P)) < 0.4
    found = accuracy_by_class(right, train, sums())
    for r in range(P):
        pairs = [(a, (r - a) % P) for a in range(P)]
        for row, among in enumerate([lambda x: train[x], lambda x: not train[x], lambda x: True]):
            chosen = [right[x] for x in pairs if among(x)]
            assert found[row, r] == pytest.approx(np.mean(chosen) if chosen else np.nan, nan_ok=True)


def test_a_class_without_training_pairs_has_no_train_accuracy():
    train = sums().reshape(P, P) != 3
    found = accuracy_by_class(np.ones((P, P), bool), train, sums())
    assert np.flatnonzero(np.isnan(found[0])).tolist() == [3]
    assert found[1, 3] == found[2, 3] == 1


def naive_graduation(epochs, series, run):
    for t in range(len(series) - run + 1):
        if all(series[t : t + run]):
            return int(epochs[t])
    return -1


@pytest.mark.parametrize("run", [1, 3, 4])
def test_graduation_opens_the_first_long_enough_run(run):
    epochs = np.array([0, 1, 5, 20, 30, 31, 50, 99, 100])
    right = np.random.default_rng(2).random((9, P, P)) < 0.7
    found = graduation_epochs(epochs, right, run=run)
    for a in range(P):
        for b in range(P):
            assert found[a, b] == naive_graduation(epochs, right[:, a, b], run)
    assert (found == -1).any() == (run > 1)


def test_too_few_checkpoints_graduate_nothing_and_wrong_lengths_are_refused():
    assert (graduation_epochs(np.array([0, 1]), np.ones((2, 3), bool)) == -1).all()
    with pytest.raises(BadConfig, match="2 epochs, 3 checkpoints"):
        graduation_epochs(np.array([0, 1]), np.ones((3, 3), bool))
