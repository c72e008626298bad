"""P9."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from figures import EPOCHS, KEYS, MISSING, axis_title, interactive, sources, traces
from synthetic import history

from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures import training_curves
from tdw.recipes.figure import NoParameters
from tdw.store import Store


def load(store: Store, variant: str) -> training_curves.Data:
    return training_curves.load(sources(store, variant), NoParameters())


def test_the_curves_are_the_history_on_a_logarithmic_axis(store: Store):
    figure = interactive(training_curves, load(store, KEYS[0]))
    expected = history(last=3000, groks_at=1500).set_index("epoch")
    for name, column in (
        ("train loss", "train_loss"),
        ("test loss", "test_loss"),
        ("test accuracy", "test_accuracy"),
    ):
        (trace,) = traces(figure, name=name)
        np.testing.assert_array_equal(trace.y, expected.loc[trace.x.astype(int), column])
        assert trace.y.max() == np.nanmax(expected[column])
    assert figure.layout.yaxis.type == "log"
    assert axis_title(figure, "yaxis") == "loss (nats)"
    assert axis_title(figure, "xaxis") == "epoch (optimizer steps)"
    assert axis_title(figure, "yaxis3") == "test accuracy"


def test_losses_between_two_powers_of_ten_have_an_axis_with_labels(store: Store):
    data = load(store, KEYS[0])
    history = data.curves.history.assign(train_loss=0.5, test_loss=0.6)
    close = dataclasses.replace(data, curves=dataclasses.replace(data.curves, history=history))
    assert interactive(training_curves, close).layout.yaxis.type != "log"


def test_the_rug_shows_stored_checkpoints_and_marks_missing_ones(store: Store):
    figure = interactive(training_curves, load(store, KEYS[1]))
    (there,), (gone,) = traces(figure, name="checkpoint"), traces(figure, name="missing checkpoint")
    assert list(there.x) == [e for e in EPOCHS if e not in MISSING]
    assert list(gone.x) == list(MISSING)
    assert there.marker.symbol != gone.marker.symbol
    assert "8 checkpoints, 3 of 11 scheduled epochs missing" in figure.layout.title.subtitle.text


def test_epochs_that_were_never_trained_are_a_gap_in_the_curves(store: Store):
    figure = interactive(training_curves, load(store, KEYS[1]))
    for name in ("train loss", "test loss", "test accuracy"):
        (trace,) = traces(figure, name=name)
        (gap,) = np.flatnonzero(np.isnan(trace.x))
        assert trace.x[gap - 1] <= 1000 and trace.x[gap + 1] >= 2000


def test_the_grokking_epoch_is_a_labelled_line(store: Store):
    figure = interactive(training_curves, load(store, KEYS[0]))
    (shape,) = figure.layout.shapes
    assert shape.x0 == shape.x1 == 1500
    assert figure.layout.annotations[0].text == "groks: 1,500"
    assert figure.layout.title.subtitle.text.startswith("groks at epoch 1,500")


def test_no_grok_is_said_and_never_drawn_as_a_number(store: Store):
    figure = interactive(training_curves, load(store, KEYS[2]))
    assert figure.layout.title.subtitle.text.startswith("no grok by epoch 3,000 (censored)")
    assert not figure.layout.shapes and not figure.layout.annotations


def test_mean_coarseness_is_an_optional_second_axis(store: Store, empty: Store):
    figure = interactive(training_curves, load(store, KEYS[0]))
    (trace,) = traces(figure, name="mean coarseness (right)")
    assert trace.yaxis == "y4" and figure.layout.yaxis4.tickmode == "auto"
    changes, axes, places = figure.layout.updatemenus[0].buttons[1].args
    assert changes == {"visible": [False]} and figure.data[places[0]] is trace
    assert axes == {"yaxis4.visible": False}


def test_without_a_history_it_says_what_is_missing(empty: Store):
    with pytest.raises(NotFound, match=r"history\.parquet"):
        load(empty, KEYS[0])


def test_without_summaries_the_losses_are_drawn_all_the_same(empty: Store):
    from synthetic import write_table

    write_table(empty, KEYS[0], "history", history(last=300, groks_at=None))
    figure = interactive(training_curves, load(empty, KEYS[0]))
    assert not traces(figure, name="mean coarseness (right)")
    assert len(traces(figure, name="train loss")[0].x) == 301
