import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.maths.coarseness.blob_onset import (
    first_blob,
    first_lasting_blob,
    onset_by_labelling,
)

EPOCHS = np.array([0, 100, 500, 1000])


def test_the_first_blob_is_the_coarsest_neuron_of_the_first_epoch_with_one():
    coarseness = np.array([[0.1, 0.2, 0.3], [0.1, 0.7, 0.9], [0.8, 0.1, 0.1], [0.8, 0.1, 0.1]])
    assert first_blob(EPOCHS, coarseness) == (100, 2)
    assert first_blob(EPOCHS, coarseness, blob_from=0.95) is None


def test_a_blob_that_does_not_last_is_not_the_first_lasting_one():
    coarseness = np.array([[0.1, 0.9, 0.3], [0.1, 0.1, 0.9], [0.8, 0.75, 0.1], [0.8, 0.75, 0.1]])
    assert first_blob(EPOCHS, coarseness) == (0, 1)
    assert first_lasting_blob(EPOCHS, coarseness) == (500, 0)


def test_a_blob_at_the_last_epoch_only_has_not_been_seen_to_last():
    coarseness = np.array([[0.1], [0.1], [0.1], [0.9]])
    assert first_blob(EPOCHS, coarseness) == (1000, 0)
    assert first_lasting_blob(EPOCHS, coarseness) is None
    assert first_lasting_blob(EPOCHS[:1], coarseness[3:]) is None


def test_over_labellings_the_first_blobs_have_a_median_a_mean_and_a_rank():
    blobs = np.array([[0, 1, 0, 0, 0], [0, 0, 2, 0, 0], [1, 0, 0, 0, 3], [1, 0, 5, 0, 0]])
    found = onset_by_labelling(EPOCHS, blobs)
    # First blobs at 500, 0, 100, never and 500.
    assert (found.median, found.mean) == (500, pytest.approx((500 + 0 + 100 + 500) / 4))
    assert (found.never, found.labellings, found.rank) == (1, 5, 4)


def test_half_of_the_labellings_is_enough_and_less_is_none():
    half = np.array([[0, 0, 0, 0], [0, 3, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert onset_by_labelling(EPOCHS, half).median == 100
    assert onset_by_labelling(EPOCHS, half).rank == 4  # observed: never, so all come at or before it
    assert onset_by_labelling(EPOCHS, half[:, :2]).median == 100
    less = onset_by_labelling(EPOCHS, half[:, [0, 1, 3]])
    assert (less.median, less.mean, less.never) == (None, 100, 2)
    none = onset_by_labelling(EPOCHS, np.zeros((4, 3), int))
    assert (none.median, none.never) == (None, 3) and np.isnan(none.mean)
