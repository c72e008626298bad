import numpy as np
import pytest

from tdw.errors import BadConfig
from tdw.recipes.common import trajectory as module
from tdw.recipes.common.trajectory import trajectories

GROUPS = {"all": ("u", "v"), "u": ("u",)}


def weights(T=6, seed=0):
    rng = np.random.default_rng(seed)
    return {"u": rng.standard_normal((T, 3, 5)), "v": rng.standard_normal((T, 7)) + 100}


def loader(stacks):
    return lambda index, name: stacks[name][index]


def test_coordinates_and_shares_are_those_of_the_svd_of_all_weights_at_once():
    stacks, epochs = weights(), [0, 1, 5, 9, 20, 50]
    found = trajectories(loader(stacks), epochs, groups=GROUPS)["all"]
    flat = np.concatenate([stacks["u"].reshape(6, -1), stacks["v"].reshape(6, -1)], axis=1)
    u, s, _ = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(found.variance_shares, (s**2 / (s**2).sum())[:5], rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(u * s)[:, :5], atol=1e-9)
    assert (found.coordinates[-1] >= 0).all()


def test_distances_between_checkpoints_are_kept_by_all_components():
    stacks = weights()
    found = trajectories(loader(stacks), range(6), groups=GROUPS)["u"].coordinates
    for i in range(6):
        for j in range(6):
            plain = np.sqrt(
                sum((x - y) ** 2 for x, y in zip(stacks["u"][i].flat, stacks["u"][j].flat, strict=True))
            )
            assert np.linalg.norm(found[i] - found[j]) == pytest.approx(plain, abs=1e-9)


def test_velocity_divides_by_the_epochs_between_uneven_checkpoints():
    stacks = {"w": np.array([[0.0, 0], [3, 4], [3, 4], [6, 8]])}
    found = trajectories(loader(stacks), [0, 10, 11, 13], groups={"w": ("w",)})["w"]
    np.testing.assert_allclose(found.velocity, [0.5, 0, 2.5])
    np.testing.assert_allclose(found.norm, [0, 5, 5, 10])


def test_a_straight_line_has_one_component_and_coordinates_as_far_apart_as_its_points():
    stacks = {"w": np.outer(np.array([0.0, 1, 2, 5]), np.array([3.0, 0, 4]))}
    found = trajectories(loader(stacks), [0, 1, 2, 5], groups={"w": ("w",)})["w"]
    assert found.variance_shares[0] == pytest.approx(1)
    np.testing.assert_allclose(np.diff(found.coordinates[:, 0]), [5, 5, 15])


def test_blocks_of_columns_do_not_change_the_result(monkeypatch):
    stacks = weights()
    whole = trajectories(loader(stacks), range(6), groups=GROUPS)["all"]
    monkeypatch.setattr(module, "_BLOCK", 2)
    blocks = trajectories(loader(stacks), range(6), groups=GROUPS)["all"]
    np.testing.assert_allclose(np.abs(blocks.coordinates), np.abs(whole.coordinates), atol=1e-9)


def test_each_weight_is_read_once_per_checkpoint_however_many_groups_hold_it():
    stacks, reads = weights(), []

    def load(index, name):
        reads.append((index, name))
        return stacks[name][index]

    trajectories(load, range(6), groups=GROUPS)
    assert len(reads) == len(set(reads)) == 12


@pytest.mark.parametrize("epochs", [[0], [0, 0], [5, 2]])
def test_epochs_that_do_not_ascend_are_refused(epochs):
    with pytest.raises(BadConfig, match="ascending"):
        trajectories(loader(weights()), epochs, groups=GROUPS)


def test_weights_that_never_move_have_no_variance():
    found = trajectories(lambda index, name: np.ones(4), [0, 1, 2], groups={"w": ("w",)})["w"]
    assert found.variance_shares.tolist() == [0, 0]
    assert found.velocity.tolist() == [0, 0]
