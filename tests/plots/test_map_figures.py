"""P7 and P8."""

from __future__ import annotations

import numpy as np
import pytest
from figures import EPOCHS, KEYS, MISSING, axis_title, interactive, sources, traces
from synthetic import FAMILY, maps, matrix, write_maps, write_table, write_variant

from tdw.drawing.marks import Axis, Scale
from tdw.drawing.plotly.pen import figure as draw
from tdw.drawing.style import MUTED, figure_json
from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.figures import attention_patterns
from tdw.families.modulo_addition_1layer.figures.neurons import (
    dominant_frequencies,
    map_sources,
    multi_scale,
    neuron_clusters,
)
from tdw.families.modulo_addition_1layer.maths.coarseness.scale_metrics import resize
from tdw.recipes.common import panels
from tdw.recipes.figure import NoParameters
from tdw.store import Address, Store, TableAddress

P = 13


def small(store: Store, **parameters: object) -> multi_scale.Data:
    return multi_scale.load(sources(store, KEYS[0]), map_sources.Parameters(**parameters))  # type: ignore[arg-type]


def test_chosen_neurons_are_drawn_in_percent_of_their_largest_activation(store: Store):
    data = small(store, neurons=(2, 5))
    assert data.epochs == EPOCHS and data.neurons == (2, 5)
    expected = resize(maps(12, P), 28)[[2, 5]]
    np.testing.assert_allclose(data.maps[-1], expected * 1.2, atol=2e-3)
    figure = interactive(multi_scale, data)
    z = figure.data[0].z
    assert z.dtype == np.uint8 and z.max() == 100
    np.testing.assert_allclose(z, 100 * data.maps[-1, 0] / data.maps[:, 0].max(), atol=0.51)


def test_heads_to_a_and_to_b_stand_below_the_neurons(store: Store):
    figure = interactive(multi_scale, small(store, neurons=(2,)))
    assert [t.name for t in figure.data] == [
        "neuron 2",
        *(f"head {h} to {side}" for side in "ab" for h in range(4)),
    ]
    assert {t.coloraxis for t in figure.data[1:]} == {"coloraxis2"}
    data = small(store, neurons=(2,))
    np.testing.assert_allclose(figure.data[1].z, 100 * data.to_a[-1, 0], atol=0.51)
    np.testing.assert_allclose(figure.data[5].z, 100 * data.to_b[-1, 0], atol=0.51)


def test_rows_of_a_map_are_a_and_columns_are_b_in_residues(store: Store):
    figure = interactive(multi_scale, small(store, neurons=(2,)))
    trace = figure.data[0]
    assert trace.x0 == pytest.approx((P / 28 - 1) / 2) and trace.dx == pytest.approx(P / 28)
    assert "a = %{y" in trace.hovertemplate and "b = %{x" in trace.hovertemplate


def test_without_a_choice_neurons_are_spread_over_coarseness_and_dead_ones_left_out(store: Store):
    data = small(store, num_neurons=4)
    final = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)[-1]
    assert len(data.neurons) == 4
    assert (np.diff(data.coarseness) <= 0).all()
    np.testing.assert_allclose(data.coarseness, final[list(data.neurons)])
    assert data.coarseness[0] == final.max() and data.coarseness[-1] == final[final > 0].min()


def test_the_large_maps_come_from_the_full_ones(store: Store):
    data = multi_scale.load(sources(store, KEYS[0]), map_sources.LargeParameters(neurons=(3,)))
    assert data.maps.shape[-2:] == (56, 56)
    expected = resize(maps(12, P), 56)[[3]] * np.float32(1.2)
    np.testing.assert_allclose(data.maps[-1], expected, atol=1.2 / 255)


def test_the_frames_stay_below_a_megabyte_whatever_the_number_of_epochs(empty: Store):
    epochs = tuple(range(0, 4000, 100))
    write_variant(empty, KEYS[0], epochs=epochs, neurons=20, groks_at=None)
    for epoch in epochs:
        write_maps(empty, KEYS[0], epoch, p=P, neurons=20, strength=epoch / 4000)
    for parameters in (map_sources.Parameters(), map_sources.LargeParameters()):
        data = multi_scale.load(sources(empty, KEYS[0], scheduled=epochs), parameters)
        assert data.epochs[0] == 0 and data.epochs[-1] == 3900
        assert len(figure_json(interactive(multi_scale, data))) < 1_050_000
    assert len(data.epochs) < len(epochs)
    assert f"{len(data.epochs)} of 40 epochs" in interactive(multi_scale, data).layout.title.subtitle.text


def test_a_neuron_that_is_not_there_is_refused(store: Store):
    with pytest.raises(BadConfig, match=r"no neuron 99\n.*0 to 11"):
        small(store, neurons=(99,))
    with pytest.raises(BadConfig, match="neurons"):
        map_sources.Parameters(neurons=(-1,))


def test_percent_of_nothing_is_zero():
    values = np.array([0.0, 0.5, 1.0], np.float32)
    assert panels.percent(values, 0.0).tolist() == [0, 0, 0]
    assert panels.percent(values, 2.0).tolist() == [0, 25, 50]


def test_attention_patterns_show_each_head_to_a_and_to_b_with_its_scale(store: Store):
    data = attention_patterns.load(sources(store, KEYS[0]), NoParameters())
    figure = interactive(attention_patterns, data)
    assert len(figure.data) == 8
    np.testing.assert_allclose(figure.data[0].z, 100 * data.attention[-1, 0, 0], atol=0.51)
    np.testing.assert_allclose(figure.data[4].z, 100 * data.attention[-1, 0, 1], atol=0.51)
    texts = [a.text for a in figure.layout.annotations]
    assert texts[0] == "head 0 to a: <b>coarse</b>" and texts[5] == "head 1 to b: <b>coarse</b>"
    assert texts[7] == "head 3 to b: <b>fine</b>"
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 100)
    assert 1500 in data.epochs  # the epoch nearest to grokking


def test_a_label_that_changes_with_the_epoch_changes_with_the_slider():
    titles = (("head 0: fine",), ("head 0: coarse",))
    maps = panels.Maps(
        epochs=(0, 10),
        values=np.zeros((2, 1, 3, 3), np.uint8),
        names=("head 0",),
        titles=titles,
        scales=(Scale("attention", 100),),
        columns=1,
        side=3,
        x=Axis("b"),
        y=Axis("a"),
    )
    drawn = draw(panels.chart(maps, title="t", subtitle=""))
    assert [frame.layout.annotations[0].text for frame in drawn.frames] == ["head 0: fine", "head 0: coarse"]
    assert drawn.layout.annotations[0].text == "head 0: coarse"


def test_dominant_frequencies_are_norms_over_epochs_and_bars_at_one(store: Store):
    data = dominant_frequencies.load(sources(store, KEYS[1]), NoParameters())
    figure = interactive(dominant_frequencies, data)
    (heatmap,), (bars,) = traces(figure, type="heatmap"), traces(figure, type="bar")
    assert heatmap.y.tolist() == list(range(1, 7))
    norms = data.norms.set_index("epoch")
    np.testing.assert_allclose(heatmap.z[2, -1], norms.loc[3000, "norm_3"], rtol=1e-6)
    assert heatmap.x[np.isnan(heatmap.z).all(axis=0)].tolist() == list(MISSING)
    reached = bars.x >= norms.loc[3000, "threshold_norm"]
    assert len(set(bars.marker.color)) == len(set(reached.tolist()))
    np.testing.assert_array_equal(np.array(bars.marker.color) != MUTED, reached)
    dominant = norms.loc[3000, "dominant_frequencies"]
    assert f"dominant at epoch 3,000: {dominant}" in figure.layout.title.subtitle.text
    assert dominant.split() == [str(k) for k in np.flatnonzero(reached) + 1]
    assert axis_title(figure, "yaxis") == "frequency k" and axis_title(figure, "xaxis2") == "norm of W_E at k"


def test_clusters_name_the_largest_frequencies_and_put_the_rest_together(empty: Store):
    key = "p59_s999_d598"
    write_variant(empty, key, epochs=EPOCHS, missing=MISSING, neurons=40, groks_at=None)
    table = empty.read_table(TableAddress(FAMILY.name, key, "frequencies"))
    sizes = {f"neurons_{k}": k if k <= 10 else 0 for k in range(1, 30)}
    write_table(empty, key, "frequencies", table.assign(**sizes))
    data = neuron_clusters.load(sources(empty, key), NoParameters())
    assert data.named == ["4", "5", "6", "7", "8", "9", "10"]
    figure = interactive(neuron_clusters, data)
    (others,) = traces(figure, name="other frequencies", yaxis=None)
    assert others.y[0] == 1 + 2 + 3
    assert others.x[np.isnan(others.y)].tolist() == list(MISSING)
    legend = [t.name for t in figure.data if t.showlegend is not False]
    assert len(legend) <= 9


def test_every_living_neuron_is_a_point_at_its_final_frequency(store: Store):
    data = neuron_clusters.load(sources(store, KEYS[0]), NoParameters())
    figure = interactive(neuron_clusters, data)
    points = [t for t in figure.data if t.xaxis == "x2"]
    assert sorted(int(i) for t in points for i in t.customdata) == list(range(12))
    assert axis_title(figure, "xaxis2") == "frequency k"
    assert "right: every neuron at epoch 3,000" in figure.layout.title.subtitle.text
    assert axis_title(figure, "yaxis2") == "fraction of variance explained"


def test_the_page_has_every_epoch_where_the_saved_figure_has_some(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(panels, "FRAME_BUDGET", 1000)
    parameters = map_sources.Parameters(neurons=(2, 5))
    saved = multi_scale.load(sources(store, KEYS[0]), parameters)
    every = multi_scale.every(sources(store, KEYS[0]), parameters)
    assert len(saved.epochs) == 4 and "4 of 11 epochs" in multi_scale.chart(saved).subtitle
    assert every.epochs == EPOCHS and every.names[:2] == ("neuron 2", "neuron 5")
    full = resize(maps(12, P), 28)[2] * np.float32(1.2)
    np.testing.assert_allclose(every.values[-1, 0], 100 * full / full.max(), atol=0.6)

    some = attention_patterns.load(sources(store, KEYS[0]), NoParameters())
    shown = attention_patterns.every(sources(store, KEYS[0]), NoParameters())
    assert len(some.epochs) == 4 and shown.epochs == EPOCHS
    (place,) = [i for i, name in enumerate(shown.names) if name == "head 1 to b"]
    stored = store.read(Address(FAMILY.name, KEYS[0], "attention_patterns", 1000)).arrays[
        "attention_patterns"
    ]
    np.testing.assert_allclose(shown.values[EPOCHS.index(1000), place], 100 * stored[1, 1], atol=0.51)
    assert shown.titles[0][place] == "head 1 to b: <b>coarse</b>" and "groks at epoch 1,500" in shown.note
