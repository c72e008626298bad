"""A21, A23 as recipes: what the analyzers give, that they are off by default, with settings on record."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tiny_variant import TINY, TINY_EPOCHS

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.making.artifacts import analyze
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.recipes.common.landscape.analyzers import (
    CURVATURE,
    LEARNING_COEFFICIENT,
    Curvature,
    coefficient,
    curvature,
)
from tdw.recipes.common.landscape.learning_coefficient import Settings
from tdw.recipes.common.landscape.tables import coefficient as coefficient_table
from tdw.recipes.common.landscape.training_loss import TrainingLoss
from tdw.recipes.consistency.array_layout import wrong_arrays
from tdw.recipes.summary import Inputs, NoParameters
from tdw.store import Address, Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)
SHORT = {
    "curvature": Curvature(eigenvalues=2, directions=3, seed=5),
    "learning_coefficient": Settings(chains=2, burn_in=3, draws=6, seed=7),
}


def bowl(spectrum: np.ndarray, at: np.ndarray, *, samples: int = 1000) -> SimpleNamespace:
    """A context whose loss is half the sum of spectrum_i w_i², in two weights."""
    bends = torch.as_tensor(spectrum)

    def flat(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([weights["a"].reshape(-1), weights["b"].reshape(-1)])

    def loss(weights: dict[str, torch.Tensor]) -> torch.Tensor:
        return (bends * flat(weights) ** 2).sum() / 2

    def loss_and_gradients(weights: dict[str, torch.Tensor], epoch: int) -> float:
        gradient = (bends * flat(weights).double()).float()
        weights["a"].grad, weights["b"].grad = gradient[:4].view(2, 2), gradient[4:]
        return float((bends * flat(weights).double() ** 2).sum() / 2)

    weights = {"a": at[:4].reshape(2, 2).astype(np.float32), "b": at[4:].astype(np.float32)}
    objective = SimpleNamespace(loss_and_gradients=loss_and_gradients)
    return SimpleNamespace(training_loss=TrainingLoss(loss, objective, weights, ("a", "b"), samples))


def test_a_bowl_has_the_eigenvalues_of_its_spectrum_and_the_mean_of_them_in_random_directions() -> None:
    spectrum = np.linspace(0.5, 7, 14)
    found = curvature(bowl(spectrum, np.arange(14.0)), Curvature(eigenvalues=3, directions=4000))
    np.testing.assert_allclose(found["eigenvalues"], [7, 6.5, 6], rtol=1e-3)
    assert found["curvatures"].mean() == pytest.approx(spectrum.mean(), rel=0.02)
    assert found["loss"] == pytest.approx((spectrum * np.arange(14.0) ** 2).sum() / 2)


def test_the_coefficient_of_a_regular_minimum_is_half_its_dimension() -> None:
    settings = Settings(step_size=1e-4, localization=0, chains=4, burn_in=300, draws=1500)
    found = coefficient(bowl(np.full(100, 2.0), np.zeros(100), samples=10_000), settings)
    assert found["by_chain"].mean() == pytest.approx(50, rel=0.06)


def test_both_are_off_by_default_and_say_what_they_cost_and_how_to_turn_them_on() -> None:
    catalog = catalog_of(FAMILY)
    assert {"curvature", "learning_coefficient"} == {*catalog.analyzer_names} - {*catalog.default_names}
    assert "curvature" not in catalog.suited([CONFIG])
    for analyzer in (CURVATURE, LEARNING_COEFFICIENT):
        assert f"analyzers: [default, {analyzer.name}]" in analyzer.price
    assert LEARNING_COEFFICIENT.steps(Settings(chains=3, burn_in=10, draws=20)) == 90
    assert CURVATURE.steps(Curvature(eigenvalues=6)) > CURVATURE.steps(Curvature())
    cost = FAMILY.cost(CONFIG)
    plain, dear = (catalog.cell_seconds(name, cost) for name in ("coarseness", "learning_coefficient"))
    assert dear > 100 * plain


@pytest.fixture
def store(tiny_store: Store) -> Store:
    cells = dict.fromkeys(SHORT, TINY_EPOCHS)
    for result in analyze(tiny_store, FAMILY, CONFIG, cells, parameters=SHORT):
        assert result.error is None, result
    return tiny_store


def test_of_a_real_variant_they_keep_their_settings_and_seeds_and_repeat_their_bits(store: Store) -> None:
    for name, parameters in SHORT.items():
        at = Address(FAMILY.name, TINY, name, 0)
        before, analyzer = store.path(at).read_bytes(), catalog_of(FAMILY).analyzer(name)
        found = store.read(at)
        assert wrong_arrays(analyzer, found.arrays, FAMILY.lengths(CONFIG)) == ""
        assert found.provenance.parameters == vars(parameters)
        (result,) = analyze(store, FAMILY, CONFIG, {name: [0]}, parameters=SHORT)
        assert result.error is None
        assert store.path(at).read_bytes() == before
        other = {name: type(parameters)(**{**vars(parameters), "seed": 99})}
        (result,) = analyze(store, FAMILY, CONFIG, {name: [0]}, parameters=other)
        assert result.error is None and store.path(at).read_bytes() != before


def test_of_a_real_variant_the_loss_is_that_of_the_history_and_h_is_that_of_differences(store: Store) -> None:
    history = store.read_table(TableAddress(FAMILY.name, TINY, "history")).set_index("epoch")
    for epoch in TINY_EPOCHS:
        for name in SHORT:
            found = store.read(Address(FAMILY.name, TINY, name, epoch)).arrays
            assert found["loss"] == pytest.approx(history.loc[epoch, "train_loss"], rel=1e-5)
            if name == "curvature":
                assert (found["residuals"] < 1e-2 * found["eigenvalues"][0]).all()
                assert found["eigenvalues"][0] > np.abs(found["curvatures"]).max() > 0


def test_their_tables_have_a_row_per_epoch_with_the_settings(store: Store) -> None:
    for name in SHORT:
        summarize(store, FAMILY, CONFIG, name, parameters=SHORT)
    curved = store.read_table(TableAddress(FAMILY.name, TINY, "curvature"))
    assert curved["epoch"].tolist() == [*TINY_EPOCHS]
    assert (curved["eigenvalue_1"] >= curved["eigenvalue_2"]).all()
    table = store.read_table(TableAddress(FAMILY.name, TINY, "learning_coefficient"))
    chains = store.read(Address(FAMILY.name, TINY, "learning_coefficient", 10)).arrays["by_chain"]
    row = table.set_index("epoch").loc[10]
    assert row["std_over_chains"] == pytest.approx(abs(chains[0] - chains[1]) / 2**0.5)
    assert (row["chains"], row["burn_in"], row["draws"], row["seed"]) == (2, 3, 6, 7)


def test_the_drift_is_what_the_second_half_of_the_draws_gives_more() -> None:
    losses = np.zeros((2, 10), np.float32)
    losses[:, :2], losses[:, 6:] = 100, 0.25  # burn-in does not count
    arrays = {name: np.array(1.0) for name in ("loss", "step_size", "localization")}
    arrays |= {"by_chain": np.zeros(2), "distance": np.zeros(2), "losses": losses}
    arrays |= {"n_beta": np.array(40.0), "burn_in": np.array(2), "seed": np.array(0)}
    table = coefficient_table(Inputs(CONFIG, (0,), {"learning_coefficient": (arrays,)}), NoParameters())
    assert table["drift"].tolist() == [10.0]


def test_wrong_parameters_are_named() -> None:
    for wrong in (
        {"eigenvalues": 0},
        {"directions": 1},  # has no spread, and 0 would be a made-up one
        {"radius": -1},
        {"seed": 1.5},
        {"tolerance": "small"},
    ):
        with pytest.raises(BadConfig, match=next(iter(wrong))):
            Curvature(**wrong)
