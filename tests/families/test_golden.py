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


DEMO = {
    99: (2.9478488940586223, 7.55455026918402), 199: (0.03194994595705709, 20.307611288612623),
    299: (0.009876089888754219, 21.155355502540694), 399: (0.0031736566969279454, 22.413454364274944),
    499: (0.0010512785679591273, 23.78063421107828), 599: (0.0003544210359015084, 25.199337812343995),
    699: (0.00012130057036155343, 26.63808314757771), 799: (4.211835845056333e-05, 28.07904063663536),
    899: (1.4950710277784594e-05, 29.495785050267795), 999: (5.514561554569072e-06, 30.863083979834467),
    1099: (2.1978199705924133e-06, 32.11250331592621), 1199: (1.0121830072238688e-06, 33.131713780582615),
    1299: (5.760898745705996e-07, 33.81106766231323), 1399: (4.16351166342228e-07, 34.102199517410575),
    1499: (3.636201791702496e-07, 34.07685206972644),
}  # fmt: skip
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


@pytest.mark.slow
def test_the_demo_that_was_published_is_repeated_to_its_last_printed_epoch(tmp_path: Path) -> None:
    config = FAMILY.make_config(p=113, seed=999, init_order="qkvo")
    epochs = sorted({at for epoch in DEMO for at in (epoch, epoch + 1)})
    made = {c.epoch: c for c in train(config, store=Store(tmp_path), checkpoints=epochs)}
    train_losses = [made[epoch].train_loss for epoch in DEMO]
    test_losses = [made[epoch + 1].metrics["test_loss"] for epoch in DEMO]
    assert train_losses == pytest.approx([train_loss for train_loss, _ in DEMO.values()], rel=0.016)
    assert test_losses == pytest.approx([test_loss for _, test_loss in DEMO.values()], rel=0.01)
