"""P2."""

from __future__ import annotations

import numpy as np
from figures import EPOCHS, KEYS, MISSING, axis_title, interactive, sources, traces
from synthetic import matrix

from tdw.drawing import style
from tdw.families.modulo_addition_1layer.figures.coarseness import mean_coarseness
from tdw.recipes.figure import NoParameters
from tdw.store import Store


def load(store: Store, *variants: str) -> mean_coarseness.Data:
    return mean_coarseness.load(sources(store, *variants), NoParameters())


def test_the_line_is_the_mean_over_neurons_at_each_checkpoint(store: Store):
    figure = interactive(mean_coarseness, load(store, KEYS[0]))
    (line,) = traces(figure, name="mean coarseness")
    expected = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485).mean(axis=1, dtype=float)
    np.testing.assert_array_equal(line.x, EPOCHS)
    np.testing.assert_allclose(line.y, expected, rtol=1e-6)


def test_missing_epochs_are_gaps_that_no_line_bridges_and_the_subtitle_says_so(store: Store):
    figure = interactive(mean_coarseness, load(store, KEYS[1]))
    (line,) = traces(figure, name="mean coarseness")
    assert line.connectgaps is False
    assert [x for x, y in zip(line.x, line.y, strict=True) if np.isnan(y)] == list(MISSING)
    (band,) = traces(figure, name="p25 to p75")
    assert np.isnan(band.x).sum() == 2  # three stretches
    assert "3 of 11 scheduled epochs missing (300, 1500, 2000)" in figure.layout.title.subtitle.text


def test_the_band_can_be_switched_from_quartiles_to_the_standard_deviation(store: Store):
    data = load(store, KEYS[0])
    figure = interactive(mean_coarseness, data)
    (quartiles,), (std,) = traces(figure, name="p25 to p75"), traces(figure, name="mean ± std")
    assert quartiles.visible is True and std.visible is False
    table = data.courses[0].coarseness
    np.testing.assert_allclose(std.y[: len(EPOCHS)], table["mean_coarseness"] - table["std_coarseness"])
    button = figure.layout.updatemenus[0].buttons[1]
    changes, places = button.args
    assert {figure.data[i].name: shown for i, shown in zip(places, changes["visible"], strict=True)} == {
        "p25 to p75": False,
        "mean ± std": True,
    }


def test_the_test_loss_is_on_a_second_logarithmic_axis_with_its_own_ticks(store: Store):
    figure = interactive(mean_coarseness, load(store, KEYS[0]))
    (loss,) = traces(figure, name="test loss (right)")
    assert loss.yaxis == "y2"
    axis = figure.layout.yaxis2
    assert (axis.type, axis.side, axis.overlaying, axis.tickmode) == ("log", "right", "y", "auto")
    assert axis_title(figure, "yaxis2") == "test loss (nats)"
    assert axis_title(figure, "xaxis") == "epoch (optimizer steps)"
    assert axis_title(figure, "yaxis") == "mean coarseness (0 to 1)"
    assert figure.layout.height is None


def test_a_variant_has_one_color_in_its_own_figure_and_in_the_comparison(store: Store):
    alone = interactive(mean_coarseness, load(store, KEYS[1]))
    together = interactive(mean_coarseness, load(store, *KEYS))
    (one,) = traces(alone, name="mean coarseness")
    (among,) = traces(together, name="p13 s999")
    assert one.line.color == among.line.color == style.COLORS[1]


def test_the_comparison_says_which_variant_did_not_grok_and_which_was_not_analyzed(
    store: Store, empty: Store
):
    figure = interactive(mean_coarseness, load(store, *KEYS))
    assert traces(figure, name="p17 s999 (no grok)")
    from synthetic import write_variant

    write_variant(empty, KEYS[0], epochs=EPOCHS, neurons=4, groks_at=None)
    data = load(empty, *KEYS[:2])
    assert data.left_out == ("s999",) or data.left_out == ("p13 s999",)
    assert "not analyzed yet: p13 s999" in interactive(mean_coarseness, data).layout.title.subtitle.text


def test_the_table_has_a_row_for_a_missing_epoch_too(store: Store):
    table = mean_coarseness.table(load(store, KEYS[1]))
    row = table[table["epoch"] == 1500].iloc[0]
    assert row["variant"] == KEYS[1] and np.isnan(row["mean_coarseness"])
    assert len(table) == len(EPOCHS)
