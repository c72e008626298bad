import numpy as np

from tdw.families.modulo_addition_1layer.maths.coarseness.blob_onset import first_blob, first_lasting_blob

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
