"""P4, P10, P11."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from figures import EPOCHS, KEYS, MISSING, axis_title, interactive, sources, traces
from synthetic import FAMILY, matrix, progress_table, write_variant

from tdw.drawing import labels, style
from tdw.errors import BadConfig, NotFound
from tdw.families.modulo_addition_1layer.blob_rule import BlobRule
from tdw.families.modulo_addition_1layer.figures import comparison, progress_measures
from tdw.families.modulo_addition_1layer.figures.coarseness import (
    blob_count,
    early_coarseness,
    mean_coarseness,
    neuron_coarseness,
)
from tdw.families.modulo_addition_1layer.figures.subject import Grokking, Subject
from tdw.recipes.figure import NoParameters
from tdw.statistics.exact import fit_line, spearman
from tdw.store import Provenance, Store, TableAddress


def early(store: Store, *variants: str, **parameters: object) -> early_coarseness.Data:
    return early_coarseness.load(sources(store, *variants), early_coarseness.Parameters(**parameters))  # type: ignore[arg-type]


def test_each_variant_is_a_labelled_point_at_early_coarseness_and_grokking_epoch(store: Store):
    figure = interactive(early_coarseness, early(store, *KEYS))
    (point,) = traces(figure, name="p13 s485")
    early_row = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)[EPOCHS.index(1000)]
    assert point.x[0] == pytest.approx(early_row.mean(dtype=float)) and point.y[0] == 1500
    assert point.text[0].strip() == "p13 s485" and point.mode == "markers+text"
    assert point.marker.color == style.COLORS[0]
    assert axis_title(figure, "xaxis") == "mean coarseness at epoch 1,000 (0 to 1)"
    assert axis_title(figure, "yaxis") == "grokking epoch (optimizer steps)"


def test_no_grok_is_marked_apart_at_where_it_is_censored(store: Store):
    figure = interactive(early_coarseness, early(store, *KEYS))
    (censored,), (grokked,) = traces(figure, name="p17 s999"), traces(figure, name="p13 s485")
    assert censored.marker.symbol.endswith("-open") and not grokked.marker.symbol.endswith("-open")
    assert censored.y[0] == 3000 and "no grok by 3,000" in censored.text[0]


def test_the_trend_line_and_the_correlation_leave_no_grok_out(empty: Store):
    keys = ["p13_s1_d598", "p13_s2_d598", "p13_s3_d598", "p13_s4_d598"]
    for key, at in zip(keys, (1500, 2000, 2500, None), strict=True):
        write_variant(empty, key, epochs=EPOCHS, neurons=12, groks_at=at)
    data = early_coarseness.load(sources(empty, *keys), early_coarseness.Parameters(early_epoch=1000))
    figure = interactive(early_coarseness, data)
    (trend,) = traces(figure, name="trend")
    x, y = [p.value for p in data.points[:3]], [1500.0, 2000.0, 2500.0]
    line = fit_line(x, y)
    assert line is not None
    np.testing.assert_allclose(trend.y, line.intercept + line.slope * np.array([min(x), max(x)]))
    assert f"rank correlation {spearman(x, y):+.2f} (n = 3," in figure.layout.title.subtitle.text


def test_with_fewer_than_three_grokked_variants_there_is_no_trend(store: Store):
    figure = interactive(early_coarseness, early(store, *KEYS))
    assert not traces(figure, name="trend")
    assert "fewer than three variants grokked" in figure.layout.title.subtitle.text


def test_the_early_epoch_is_that_of_the_study_where_the_comparison_table_names_it(empty: Store):
    write_variant(empty, KEYS[0], epochs=EPOCHS, neurons=4, groks_at=None)
    assert early(empty, KEYS[0]).early_epoch == 1000
    table = pd.DataFrame({"variant": [KEYS[0]], "early_epoch": [500]})
    record = Provenance(family=FAMILY.name, variant="", name="comparison")
    empty.write_table(TableAddress(FAMILY.name, None, "comparison"), table, provenance=record)
    assert early(empty, KEYS[0]).early_epoch == 500
    assert early(empty, KEYS[0], early_epoch=200).early_epoch == 200


def test_a_variant_without_the_early_epoch_is_left_out_and_named(store: Store):
    data = early(store, *KEYS, early_epoch=1500)
    assert data.left_out == ("p13 s999",)
    assert "not analyzed there: p13 s999" in interactive(early_coarseness, data).layout.title.subtitle.text
    with pytest.raises(NotFound, match="no coarseness at epoch 7"):
        early(store, *KEYS, early_epoch=7)


def test_an_unknown_statistic_is_refused_with_the_known_ones(store: Store):
    with pytest.raises(BadConfig, match="mean_coarseness"):
        early(store, *KEYS, statistic="mean_fluffiness")


def test_labels_cover_neither_each_other_nor_points():
    look = style.looks(["v"])["v"]

    def point(label: str, value: float, grokking: Grokking) -> early_coarseness.Point:
        return early_coarseness.Point(
            Subject(f"p97_s{round(1000 * value)}_d598", label, look, grokking), value
        )

    def places(*points: early_coarseness.Point) -> list[str]:
        data = early_coarseness.Data(points, (), 1000, "mean_coarseness")
        return [
            place for found in labels.of(early_coarseness.chart(data).panels[0]).values() for place in found
        ]

    points = [
        point("p13 s999", value, Grokking(True, epoch, None))
        for value, epoch in ((0.1, 1000), (0.101, 1000), (0.9, 900))
    ]
    first, second, third = places(*points)
    assert {first, second} == {"middle right", "middle left"} and third == "middle right"
    edge = point("a long name", 0.9, Grokking(True, None, 4000))
    assert places(points[0], edge)[1] == "middle left"
    assert places(*points * 6) == []


def side_by_side(store: Store, *variants: str) -> comparison.Data:
    return comparison.load(sources(store, *variants), comparison.Parameters())


def test_variants_are_chosen_by_the_parameter_they_share(store: Store):
    choices = side_by_side(store, *KEYS).choices
    assert [(choice.label, choice.places) for choice in choices] == [
        ("all variants", (0, 1, 2)),
        ("p = 13", (0, 1)),
        ("seed = 999", (1, 2)),
    ]


def test_a_choice_shows_its_variants_side_by_side_on_shared_axes(store: Store):
    data = side_by_side(store, *KEYS)
    figure = interactive(comparison, data)
    changes, layout = figure.layout.updatemenus[0].buttons[2].args
    shown = {
        (t.name, x, y)
        for t, x, y, visible in zip(
            figure.data, changes["xaxis"], changes["yaxis"], changes["visible"], strict=True
        )
        if visible
    }
    assert shown == {("p13 s999", "x", y) for y in ("y", "y4", "y7")} | {
        ("p17 s999", "x2", y) for y in ("y2", "y5", "y8")
    }
    assert layout["xaxis.visible"] and layout["xaxis2.visible"] and not layout["xaxis3.visible"]
    assert layout["xaxis.domain"][1] < layout["xaxis2.domain"][0]
    assert "no grok by 3,000" in layout["annotations"][1]["text"]
    for name, follows in (("xaxis2", "x"), ("yaxis2", "y"), ("yaxis5", "y4"), ("yaxis8", "y7")):
        assert figure.layout[name].matches == follows


def test_the_columns_show_losses_coarseness_and_blobs(store: Store):
    figure = interactive(comparison, side_by_side(store, *KEYS))
    values = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)
    lines = {t.yaxis: t for t in figure.data if t.name == "p13 s485" and t.mode == "lines+markers"}
    np.testing.assert_allclose(lines["y4"].y, values.mean(axis=1, dtype=float), rtol=1e-6)
    np.testing.assert_array_equal(lines["y7"].y, (values >= 0.7).sum(axis=1))
    assert figure.layout.yaxis.type == "log" and axis_title(figure, "yaxis") == "loss (nats)"
    assert {t.line.color for t in figure.data if t.name == "p13 s999"} == {style.COLORS[1]}
    gaps = next(
        t for t in figure.data if t.name == "p13 s999" and t.yaxis == "y5" and t.mode == "lines+markers"
    )
    assert gaps.x[np.isnan(gaps.y)].tolist() == list(MISSING)


def test_many_variants_are_groups_and_those_that_stand_side_by_side_are_chosen_by_their_outcome(empty: Store):
    keys = [f"p13_s{seed}_d598" for seed in range(14)]
    for seed, key in enumerate(keys):
        groks_at = None if seed == 5 else 30 - seed  # the later the seed, the earlier
        write_variant(empty, key, epochs=(0, 10, 20, 40), neurons=4, groks_at=groks_at)
    every = sources(empty, *keys)

    data = comparison.load(every, comparison.Parameters())
    assert [choice.label for choice in data.choices] == [
        "8 of 14, from the earliest to the latest", "the 8 earliest", "the 8 latest",
    ]  # fmt: skip
    assert data.choices[1].places == tuple(range(13, 5, -1)) and data.choices[2].places[-1] == 5
    assert data.shown == (*range(13, 5, -1), 4, 3, 2, 1, 0, 5)
    assert sum(t.visible for t in interactive(comparison, data).data) == 8 * 5

    for module in (mean_coarseness, blob_count):
        drawn = interactive(module, module.load(every, module.PLOT.parameters()))
        named = {t.name for t in drawn.data if t.showlegend is not False}
        assert named == {"grokked (n = 13)", "did not grok"}, module
    facets = neuron_coarseness.load(every, BlobRule())
    assert len(facets.facets) == 8 and facets.facets[0].subject.variant == keys[13]
    assert "8 of 14 variants" in interactive(neuron_coarseness, facets).layout.title.subtitle.text
    points = interactive(early_coarseness, early(empty, *keys, early_epoch=10))
    assert not any("text" in (t.mode or "") for t in points.data) and len(points.data) == 15


def test_progress_measures_share_one_axis_of_epochs(store: Store):
    data = progress_measures.load(sources(store, KEYS[1]), NoParameters())
    figure = interactive(progress_measures, data)
    there = [e for e in EPOCHS if e not in MISSING]
    expected = progress_table(there, groks_at=2500).set_index("epoch")
    (gini,) = traces(figure, name="Gini of W_E")
    np.testing.assert_allclose(gini.y[~np.isnan(gini.y)], expected["gini_W_E_components"])
    assert gini.x[np.isnan(gini.y)].tolist() == list(MISSING)
    assert all(t.xaxis in (None, "x") and t.connectgaps is False for t in figure.data)
    assert {t.yaxis or "y" for t in figure.data} == {"y", "y2", "y3"}
    assert [axis_title(figure, f"yaxis{i}") for i in ("", "2", "3")] == [
        "loss (nats)",
        "Gini (0–1)",
        "Σ w²",
    ]


def test_key_frequencies_can_be_switched_from_each_epoch_to_the_last(store: Store):
    figure = interactive(progress_measures, progress_measures.load(sources(store, KEYS[0]), NoParameters()))
    expected = progress_table(EPOCHS, groks_at=1500)
    each, last = traces(figure, name="restricted loss (test)")
    assert each.visible is True and last.visible is False
    np.testing.assert_allclose(last.y, expected["restricted_loss_last_keys_test"])
    changes, places = figure.layout.updatemenus[0].buttons[1].args
    left = [figure.data[i] for i, on in zip(places, changes["visible"], strict=True) if on]
    assert [t.name for t in left] == ["restricted loss (test)", "excluded loss (train)"]
    assert left[0] is last
