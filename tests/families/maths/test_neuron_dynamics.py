from itertools import pairwise

import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.maths.learning.neuron_dynamics import (
    cascade,
    commitment,
    loose_share,
    transients,
)

H = 6
EPOCHS = np.array([0, 10, 20, 50, 100])


def random_history(seed, T=12, n=40):
    """Frequencies that stay for a while, shares around the threshold."""
    rng = np.random.default_rng(seed)
    frequency = np.repeat(rng.integers(0, H + 1, (T // 3, n)), 3, axis=0)
    fraction = np.where(frequency > 0, rng.uniform(0.5, 1, (T, n)), 0).astype(np.float32)
    return np.arange(T) * 100, frequency, fraction


def naive(epochs, frequency, fraction, share):
    """One neuron at a time, as the definitions read."""
    n = frequency.shape[1]
    switches, since = [], []
    for i in range(n):
        held = [int(k) for k, f in zip(frequency[:, i], fraction[:, i], strict=True) if f >= share and k > 0]
        switches.append(sum(x != y for x, y in pairwise(held)))
        start = -1
        for t in range(len(epochs) - 1, -1, -1):
            if fraction[t, i] < share or frequency[t, i] != frequency[-1, i] or frequency[t, i] == 0:
                break
            start = int(epochs[t])
        since.append(start)
    return switches, since


@pytest.mark.parametrize("seed", range(5))
def test_switches_and_commitment_agree_with_the_definitions_neuron_by_neuron(seed):
    epochs, frequency, fraction = random_history(seed)
    found = commitment(epochs, frequency, fraction, num_frequencies=H)
    switches, since = naive(epochs, frequency, fraction, 0.70)
    assert found.switches.tolist() == switches
    assert found.epoch.tolist() == since
    assert max(switches) > 0 and max(since) > 0
    for t in range(len(epochs)):
        for k in range(1, H + 1):
            expected = sum((frequency[t] == k) & (fraction[t] >= 0.70))
            assert found.counts[t, k - 1] == expected


def test_an_uncommitted_checkpoint_between_two_frequencies_is_one_switch():
    frequency = np.array([[2, 2], [3, 5], [4, 2], [4, 2], [4, 2]])
    fraction = np.array([[0.9, 0.9], [0.5, 0.5], [0.9, 0.9], [0.9, 0.9], [0.9, 0.9]])
    found = commitment(EPOCHS, frequency, fraction, num_frequencies=H)
    assert found.switches.tolist() == [1, 0]
    assert found.epoch.tolist() == [20, 20]


def test_a_neuron_that_is_loose_at_the_end_never_committed():
    frequency = np.full((5, 2), 3)
    fraction = np.array([[0.9, 0.7]] * 4 + [[0.69, 0.7]])
    assert commitment(EPOCHS, frequency, fraction, num_frequencies=H).epoch.tolist() == [-1, 0]
    assert commitment(EPOCHS, frequency, fraction, num_frequencies=H, share=0.6).epoch.tolist() == [0, 0]
    assert loose_share(56) == pytest.approx(0.0536, abs=1e-4)


def transient_case():
    """Ten neurons; frequency 1 has four of them and loses all: two move to 2, two lose their hold."""
    frequency = np.array([[1] * 4 + [2] * 6] * 3 + [[2, 2, 1, 1] + [2] * 6] * 2)
    fraction = np.full(frequency.shape, 0.9)
    fraction[3:, 2:4] = 0.4
    return frequency, fraction


def test_a_frequency_that_loses_its_neurons_is_transient_and_leaves_some_homeless():
    frequency, fraction = transient_case()
    held = commitment(EPOCHS, frequency, fraction, num_frequencies=H)
    found = transients(EPOCHS, frequency, held)
    assert found.transient.tolist() == [True] + [False] * 5
    assert found.peak_count[:2].tolist() == [4, 8]
    assert found.peak_epoch[:2].tolist() == [0, 50]
    assert found.end_count[:2].tolist() == [0, 8]
    assert np.flatnonzero(found.homeless).tolist() == [2, 3]
    assert found.homeless_of.tolist() == [2, 0, 0, 0, 0, 0]


def test_a_frequency_must_have_had_its_share_of_neurons_to_be_transient():
    frequency, fraction = transient_case()
    held = commitment(EPOCHS, frequency, fraction, num_frequencies=H)
    assert not transients(EPOCHS, frequency, held, peak_share=0.5).transient.any()
    # A frequency without any neuron is not transient, whatever the share.
    assert not transients(EPOCHS, frequency, held, peak_share=0.0).transient[2:].any()


def test_a_cascade_runs_from_the_first_large_frequency_to_the_crossover():
    frequency = np.array([[1] * 10, [1] * 10, [2] * 10, [2] * 10, [2] * 10])
    fraction = np.array([[0.1] * 10, [0.9] + [0.1] * 9, [0.9] * 3 + [0.1] * 7] + [[0.9] * 10] * 2)
    held = commitment(EPOCHS, frequency, fraction, num_frequencies=H)
    assert cascade(EPOCHS, held, end_epoch=50, cascade_share=0.3) == (20, 50)
    assert cascade(EPOCHS, held, end_epoch=50) == (10, 50)
    assert cascade(EPOCHS, held, end_epoch=10, cascade_share=0.3) is None
    assert cascade(EPOCHS, held, end_epoch=None) is None
