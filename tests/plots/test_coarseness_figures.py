"""P1, P3, P5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from figures import EPOCHS, KEYS, MISSING, axis_title, interactive, sources, traces
from synthetic import FAMILY, matrix, write_table, write_variant

from tdw.drawing import style
from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Heat, Scale, Steps
from tdw.drawing.plotly.pen import figure as draw
from tdw.drawing.plotly.subplots import round_places
from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.figures import subject
from tdw.families.modulo_addition_1layer.figures.coarseness import (
    blob_count,
    coarseness_distribution,
    first_blob,
    neuron_coarseness,
    neuron_matrix,
)
from tdw.recipes.figure import NoParameters
from tdw.store import Store, TableAddress


def distribution(store: Store, variant: str):
    return coarseness_distribution.load(sources(store, variant), NoParameters())


def test_the_distribution_is_the_histogram_at_each_epoch_and_its_bars_follow_the_slider(store: Store):
    figure = interactive(coarseness_distribution, distribution(store, KEYS[0]))
    values = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)
    expected = np.stack([np.histogram(row, bins=20, range=(0, 1))[0] for row in values], axis=1)
    (heatmap,), (bars,) = traces(figure, type="heatmap"), traces(figure, type="bar")
    np.testing.assert_array_equal(heatmap.customdata, expected)
    np.testing.assert_allclose(heatmap.z, np.log10(1 + expected), rtol=1e-6)
    np.testing.assert_array_equal(bars.x, expected[:, -1])
    assert [frame.name for frame in figure.frames] == [str(epoch) for epoch in EPOCHS]
    assert list(figure.frames[3].data[0].x) == [300, 300]
    np.testing.assert_array_equal(figure.frames[3].data[1].x, expected[:, 3])
    steps = figure.layout.sliders[0].steps
    assert [step.args[0] for step in steps] == [(frame.name,) for frame in figure.frames]


def test_frames_keep_the_type_of_the_trace_they_change(store: Store):
    figure = interactive(coarseness_distribution, distribution(store, KEYS[0]))
    for frame in figure.frames:
        assert [t.type for t in frame.data] == [figure.data[i].type for i in frame.traces]


def test_a_missing_epoch_is_an_empty_column_and_has_no_frame(store: Store):
    figure = interactive(coarseness_distribution, distribution(store, KEYS[1]))
    (heatmap,) = traces(figure, type="heatmap")
    empty = np.isnan(heatmap.z).all(axis=0)
    assert heatmap.x[empty].tolist() == list(MISSING)
    assert not np.isnan(heatmap.z[:, ~empty]).any()
    assert not {str(e) for e in MISSING} & {frame.name for frame in figure.frames}


def test_the_table_of_the_distribution_counts_every_neuron_once(store: Store):
    table = coarseness_distribution.table(distribution(store, KEYS[0]))
    assert (table.groupby("epoch")["neurons"].sum() == 12).all()
    assert table["bin_low"].min() == 0 and table["bin_high"].max() == 1


def neurons(store: Store, *variants: str, **parameters: float):
    return neuron_coarseness.load(sources(store, *variants), BlobRule(**parameters))


def painted(figure: Any, axis: str) -> dict[int, np.ndarray]:
    """Epoch -> row of a facet, neurons by index, as the traces paint it one over the other."""
    rows: dict[int, np.ndarray] = {}
    for trace in traces(figure, xaxis=None if axis == "x" else axis):
        assert list(trace.x) == [f"n{i}" for i in range(trace.z.shape[1])]
        rows |= dict(zip(trace.y.tolist(), trace.z, strict=True))
    return rows


def test_coarseness_by_neuron_has_one_color_scale_from_0_to_1_for_all_variants(store: Store):
    figure = interactive(neuron_coarseness, neurons(store, *KEYS))
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == (0, 1)
    assert all(t.coloraxis == "coloraxis" for t in figure.data)
    assert {t.name for t in figure.data} == {"p13 s485", "p13 s999", "p17 s999"}
    rows = painted(figure, "x")
    assert sorted(rows) == list(EPOCHS)
    np.testing.assert_array_equal(
        np.stack([rows[epoch] for epoch in EPOCHS]),
        matrix(EPOCHS, groks_at=1500, neurons=12, seed=485).astype(np.float32),
    )
    assert [y.matches for y in (figure.layout.yaxis2, figure.layout.yaxis3)] == ["y", "y"]
    assert [x.matches for x in (figure.layout.xaxis2, figure.layout.xaxis3)] == [None, None]  # orders differ


def test_neurons_are_counted_at_round_numbers():
    assert round_places(512, 12) == list(range(0, 512, 50))
    assert round_places(512, 4) == [0, 200, 400]
    assert round_places(12, 12) == list(range(12))
    assert round_places(2000, 12) == list(range(0, 2000, 200))
    assert round_places(1, 10) == [0]


def test_ticks_of_neurons_count_them_whatever_their_order(store: Store):
    axis = interactive(neuron_coarseness, neurons(store, KEYS[0])).layout.xaxis
    assert list(axis.tickvals) == list(range(12)) and list(axis.ticktext) == [str(i) for i in range(12)]


def test_missing_epochs_are_empty_rows_in_the_facet_of_the_variant(store: Store):
    figure = interactive(neuron_coarseness, neurons(store, *KEYS))
    for axis, missing in (("x", ()), ("x2", MISSING), ("x3", ())):
        rows = painted(figure, axis)
        assert sorted(e for e, row in rows.items() if np.isnan(row).all()) == list(missing)
    assert all(trace.hoverongaps is False for trace in figure.data)


def test_columns_of_one_trace_are_evenly_spaced_so_that_plotly_draws_them_as_a_picture():
    values = np.zeros((2000, len(EPOCHS)), np.float32)
    heat = Heat(np.array(EPOCHS), Steps(0, 1), values, Scale("z"))
    drawn = draw(Chart("t", (Panel([heat], y=Axis("row")),))).data
    assert len(drawn) > 1
    assert all(len(set(np.diff(trace.x).tolist())) == 1 for trace in drawn)
    names = [f"n{i}" for i in range(2000)]
    drawn = draw(Chart("t", (Panel([replace(heat, x=names, y=heat.x, z=values.T)], y=Axis("row")),))).data
    assert len(drawn) > 1
    assert all(len(set(np.diff(trace.y).tolist())) == 1 for trace in drawn)


def test_headings_tell_of_gaps_and_of_no_grok(store: Store):
    figure = interactive(neuron_coarseness, neurons(store, *KEYS))
    headings = [a.text for a in figure.layout.annotations]
    assert "gaps" in headings[1] and "no grok" in headings[2]


def test_neurons_are_sorted_by_index_final_frequency_or_first_blob_epoch():
    values = np.array([[0.1, 0.8, 0.9], [0.0, 0.0, 0.0], [0.9, 0.2, 0.1], [0.1, 0.1, 0.95]], np.float32)
    facet = neuron_matrix.Facet(
        subject=subject.Subject("p97_s1_d598", "v", style.looks(["v"])["v"]),
        epochs=np.array([0, 1, 2]),
        values=values,
        frequency=np.array([3, 0, 1, 1]),
    )
    found = {name: order.tolist() for name, order in neuron_matrix.orders(facet, blob_from=0.7).items()}
    assert found == {
        "index": [0, 1, 2, 3],
        "final frequency": [1, 3, 2, 0],  # within a frequency the coarsest first
        "first blob epoch": [2, 0, 3, 1],  # never a blob: last
        "final coarseness": [3, 0, 2, 1],
    }


def test_the_sort_buttons_reorder_every_facet(store: Store):
    data = neurons(store, *KEYS)
    figure = interactive(neuron_coarseness, data)
    labels = [button.label for button in figure.layout.updatemenus[0].buttons]
    assert labels == ["by index", "by final frequency", "by first blob epoch", "by final coarseness"]
    (change,) = figure.layout.updatemenus[0].buttons[2].args
    order = neuron_matrix.orders(data.facets[1], blob_from=0.7)["first blob epoch"]
    assert list(change["xaxis2.categoryarray"]) == [f"n{i}" for i in order]
    axes = ("xaxis", "xaxis2", "xaxis3")
    assert set(change) == {f"{axis}.{of}" for axis in axes for of in ("categoryarray", "title.text")}
    assert change["xaxis.title.text"] == "neuron, by first blob epoch"


def blobs(store: Store, *variants: str, **parameters: float):
    return blob_count.load(sources(store, *variants), blob_count.Parameters(**parameters))


def test_blob_counts_are_neurons_at_or_above_each_threshold(store: Store):
    figure = interactive(blob_count, blobs(store, KEYS[0]))
    values = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)
    for threshold in ("0.5", "0.6", "0.7", "0.8"):
        (line,) = traces(figure, name=f"coarseness ≥ {threshold}")
        np.testing.assert_array_equal(line.y, (values >= float(threshold)).sum(axis=1))
        assert line.visible is True
    assert axis_title(figure, "yaxis") == "neurons (of 12)"


def test_a_button_leaves_one_threshold_of_every_variant(store: Store):
    figure = interactive(blob_count, blobs(store, *KEYS))
    shown = [t.name for t in figure.data if t.visible]
    assert len(shown) == 3 and shown[2] == "p17 s999 (no grok)"
    button = next(b for b in figure.layout.updatemenus[0].buttons if b.label == "≥ 0.5")
    changes, places = button.args
    left = [figure.data[i] for i, visible in zip(places, changes["visible"], strict=True) if visible]
    values = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)
    np.testing.assert_array_equal(left[0].y, (values >= 0.5).sum(axis=1))
    assert len(left) == 3
    assert [t.line.color for t in left] == list(style.COLORS[:3])


def test_a_gap_in_the_blob_count_is_not_bridged(store: Store):
    figure = interactive(blob_count, blobs(store, KEYS[1]))
    for line in figure.data:
        assert line.connectgaps is False
        assert line.x[np.isnan(line.y)].tolist() == list(MISSING)


def test_the_first_blob_is_marked_by_its_label_and_over_the_labellings(store: Store):
    notes = interactive(blob_count, blobs(store, KEYS[0])).layout.annotations
    said = [note.text for note in notes]
    lines = [-(note.yshift or 0) for note in sorted(notes, key=lambda note: note.x)]
    assert len(set(lines)) == len(notes) > 1 and lines == sorted(lines)  # none hides another
    row = store.read_table(TableAddress(FAMILY.name, KEYS[0], "blob_onset")).iloc[0]
    assert f"first blob: {int(row['first_blob_epoch']):,}" in said
    assert f"half relabeled: {int(row['relabelled_first_blob_epoch']):,}" in said
    assert not first_blob.rules(sources(store, *KEYS))  # of several variants they would be too many


def test_a_reference_line_is_drawn_where_it_is_asked_for(store: Store):
    assert len(interactive(blob_count, blobs(store, KEYS[1])).layout.shapes) == 1  # grokking alone
    figure = interactive(blob_count, blobs(store, KEYS[1], reference=20))
    assert figure.layout.shapes[1].y0 == 20
    assert figure.layout.yaxis.range[1] > 20
    with pytest.raises(BadConfig, match="reference"):
        blob_count.Parameters(reference=-1)


def relabelled(store: Store, *, observed: list[int], epochs: tuple[int, ...] = (0, 100, 200)) -> Store:
    """A variant with a relabelling summary of four labellings: the observed one, and 10, 20 and 30 blobs."""
    write_variant(store, KEYS[0], epochs=epochs, neurons=12, groks_at=100)
    rows = [
        {"epoch": epoch, "c": c, "num_blob_neurons": count}
        for epoch, first in zip(epochs, observed, strict=True)
        for c, count in enumerate((first, 10, 20, 30), start=1)
    ]
    write_table(store, KEYS[0], "relabelling", pd.DataFrame(rows))
    return store


def test_the_relabelling_control_is_the_mean_over_labellings_at_its_own_threshold(empty: Store):
    observed = (matrix((0, 100, 200), groks_at=100, neurons=12, seed=485) >= 0.7).sum(axis=1).tolist()
    data = blobs(relabelled(empty, observed=observed), KEYS[0])
    figure = interactive(blob_count, data)
    (line,) = traces(figure, name="≥ 0.7, mean of 4 relabellings")
    expected = [(60 + count) / 4 for count in observed]
    assert line.visible and line.y[:3].tolist() == expected
    assert np.isnan(line.y[3:]).all()  # scheduled, and missing
    assert figure.layout.yaxis.range[1] > max(expected)
    table = blob_count.table(data).query("epoch == 200").set_index("threshold")["relabelled_neurons"]
    assert table["0.7"] == expected[2] and table.drop("0.7").isna().all()


def test_the_control_has_its_switch_and_starts_hidden_among_several_variants(empty: Store):
    observed = (matrix((0, 100, 200), groks_at=100, neurons=12, seed=485) >= 0.7).sum(axis=1).tolist()
    relabelled(empty, observed=observed)
    write_variant(empty, KEYS[1], epochs=(0, 100, 200), neurons=12, groks_at=None)
    figure = interactive(blob_count, blobs(empty, *KEYS[:2]))
    place = next(i for i, trace in enumerate(figure.data) if "relabellings" in trace.name)
    assert figure.data[place].visible is False
    shown, hidden = figure.layout.updatemenus[1].buttons
    assert (list(shown.args[0]["visible"]), list(hidden.args[0]["visible"])) == ([True], [False])
    assert list(shown.args[2]) == [place]
    assert shown.args[1]["yaxis.range"][1] > hidden.args[1]["yaxis.range"][1]


def test_a_control_of_another_definition_of_a_blob_is_not_drawn(empty: Store):
    figure = interactive(blob_count, blobs(relabelled(empty, observed=[11, 11, 11]), KEYS[0]))
    assert not [trace for trace in figure.data if "relabellings" in trace.name]
    assert len(figure.layout.updatemenus) == 1
