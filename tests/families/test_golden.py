"""T3: published runs can be repeated. The losses of p=113, seed 999, data seed 598, known to ten digits."""

from pathlib import Path

import pytest

from tdw.families import get_family
from tdw.recipes.family import Form
from tdw.store import Store
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")


@pytest.mark.parametrize("form", ["plain", "numba"])
def test_losses_of_the_first_steps_are_the_published_ones(form: str) -> None:
    config = FAMILY.parse_variant("p113_s999_d598")
    weights = FAMILY.init_weights(config)
    objective = FAMILY.objective(config, form=form)
    optimizer = FAMILY.make_optimizer(config, weights)
    assert objective.metrics(weights)[0] == pytest.approx(4.732980869, abs=1e-8)
    for expected in (4.735885756, 4.727470716, 4.722508434):
        assert objective.loss_and_gradients(weights) == pytest.approx(expected, abs=1e-8)
        optimizer.step()


@pytest.mark.parametrize("form", ["plain", "numba"])
def test_training_as_it_is_run_takes_the_published_steps(tmp_path: Path, form: Form) -> None:
    config = FAMILY.parse_variant("p113_s999_d598")
    made = list(train(config, store=Store(tmp_path), checkpoints=[0, 1, 2], form=form))
    losses = [checkpoint.train_loss for checkpoint in made]
    assert losses == pytest.approx([4.735885756, 4.727470716, 4.722508434], abs=1e-8)
    assert made[0].metrics["test_loss"] == pytest.approx(4.732980869, abs=1e-8)


DEMO = {99: (2.9478488940586223, 7.55455026918402)}
"""Epoch -> train and test loss printed by the demo that TransformerLens published, on a GPU
(demos/Grokking_Demo.ipynb). It prints after a step: train loss of the weights before it, test loss of those
after it.
"""


def test_the_demo_that_was_published_is_repeated_in_its_order_of_initialization(tmp_path: Path) -> None:
    config = FAMILY.make_config(p=113, seed=999, init_order="qkvo")
    weights = FAMILY.init_weights(config)
    objective = FAMILY.objective(config)
    assert objective.loss_and_gradients(weights, 0) == pytest.approx(4.7350, abs=5e-5)
    assert objective.metrics(weights)[0] == pytest.approx(4.7333, abs=5e-5)
    made = {c.epoch: c for c in train(config, store=Store(tmp_path), checkpoints=[0, 99, 100])}
    train_loss, test_loss = DEMO[99]
    assert made[99].train_loss == pytest.approx(train_loss, rel=0.016)
    assert made[100].metrics["test_loss"] == pytest.approx(test_loss, rel=0.01)
