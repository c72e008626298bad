"""Figures of every transformer of the kit, and of Markov chains in context."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic_sequences as made

from tdw.drawing.chart import Chart
from tdw.drawing.matplotlib.pen import small_png
from tdw.drawing.plotly.pen import figure
from tdw.drawing.style import figure_json
from tdw.families import get_family
from tdw.families.markov_icl.figures import loss_by_position, order, phases
from tdw.families.symbolic_ioi.figures import composition, outcomes, templates
from tdw.families.transformer.recipes.figures import (
    attention_patterns,
    head_scores,
    logit_attribution,
    logit_lens,
)
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import NoParameters, Plot
from tdw.store import Store

IOI = "layers3_heads2_std0.1_s0"
MARKOV = "k2_s0_len9_layers1_heads2"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One layer where all positions count, three where the last one does; no test set in either."""
    store = Store(tmp_path_factory.mktemp("sequences"))
    made.write(store, "markov_icl", MARKOV, made.transformer_arrays)
    made.write(store, "symbolic_ioi", IOI, made.transformer_arrays)
    return store


def draw(chart: Chart) -> Any:
    return figure(chart)


def of_markov(store: Store, **extra: object) -> made.Sources:
    return made.sources(store, get_family("markov_icl"), MARKOV, **extra)  # type: ignore[arg-type]


def of_ioi(store: Store) -> made.Sources:
    return made.sources(store, get_family("symbolic_ioi"), IOI)


EACH = [
    (of, plot)
    for of, name in ((of_markov, "markov_icl"), (of_ioi, "symbolic_ioi"))
    for plot in catalog_of(get_family(name)).plots
]


@pytest.mark.parametrize(("of", "plot"), EACH, ids=lambda each: getattr(each, "name", ""))
def test_every_figure_of_a_sequence_family_is_drawn_by_both_pens_with_titles_on_its_axes(
    store: Store, of: Callable[[Store], made.Sources], plot: Plot
) -> None:
    data = plot.load(of(store), plot.parameters())
    chart = plot.chart(data)
    drawn = json.loads(figure_json(figure(chart)))
    axes = {name: axis for name, axis in drawn["layout"].items() if re.fullmatch(r"[xy]axis\d*", name)}
    hidden = [name for name, axis in axes.items() if axis.get("visible") is False]
    titled = [name for name, axis in axes.items() if axis["title"].get("text")]
    bare = [name for name, axis in axes.items() if axis.get("showticklabels") is False]
    assert axes and set(axes) == {*hidden, *titled, *bare}
    assert small_png(chart)[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(plot.table(data)) and "How to read it" in plot.description


def test_attention_is_drawn_with_the_first_query_at_the_top_and_the_mean_before_sequences(
    store: Store,
) -> None:
    data = attention_patterns.load(of_markov(store), attention_patterns.Parameters(sequences=1))
    drawn = draw(attention_patterns.chart(data))
    assert [trace.name for trace in drawn.data] == [
        "L0H0 · mean", "L0H1 · mean", "L0H0 · sequence 0", "L0H1 · sequence 0",
    ]  # fmt: skip
    np.testing.assert_array_equal(drawn.data[0].z, 1000 * (np.eye(8, k=-1) + np.diag([1] + [0] * 7)))
    assert drawn.layout.yaxis.autorange == "reversed"
    assert [frame.name for frame in drawn.frames] == ["0", "10", "20", "40"]
    first = drawn.frames[0].data[0].z
    assert first[7, 3] == 125 and first[3, 7] == 0  # even attention to the eight positions so far


def test_long_contexts_are_averaged_so_that_the_page_stays_small(tmp_path: Path) -> None:
    store, key = Store(tmp_path), "k2_s0_len700"
    family = made.write(store, "markov_icl", key, made.transformer_arrays, (0, 40), only="attention_patterns")
    read = made.sources(store, family, key, scheduled=(0, 40))
    data = attention_patterns.load(read, attention_patterns.Parameters())
    drawn = draw(attention_patterns.chart(data))
    assert "699 positions averaged" in drawn.layout.title.subtitle.text
    assert len(figure_json(drawn)) < 1_050_000


def test_the_page_of_attention_has_every_epoch_and_sequence_as_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_patterns.panels, "FRAME_BUDGET", 100)
    parameters = attention_patterns.Parameters(sequences=2)
    every = attention_patterns.every(of_markov(store), parameters)
    assert every.epochs == (0, 10, 20, 40) and every.values.shape == (4, 3 * 2, 8, 8)
    np.testing.assert_array_equal(every.values[-1, 0], 1000 * (np.eye(8, k=-1) + np.diag([1] + [0] * 7)))
    assert every.y.reverse and every.note == ""
    monkeypatch.setattr(attention_patterns, "_EVERY_BYTES", 2 * 4 * 6 * 16)
    coarser = attention_patterns.every(of_markov(store), parameters)
    assert coarser.values.shape[-1] == 4 and coarser.note == "8 positions averaged to 4"


def test_scores_stand_above_each_other_by_head_with_what_an_even_head_has(store: Store) -> None:
    drawn = draw(
        head_scores.chart(head_scores.load(of_markov(store, scheduled=(*made.EPOCHS, 30)), NoParameters()))
    )
    lines = {(trace.yaxis or "y", trace.name): trace for trace in drawn.data}
    assert {name for _, name in lines} == {"L0H0", "L0H1"} and len(lines) == 6
    np.testing.assert_allclose(lines["y3", "L0H1"].y, [0.4, 0.525, 0.65, np.nan, 0.9])
    assert [shape.y0 for shape in drawn.layout.shapes] == [0.25] * 3
    assert "1 of 5 scheduled epochs missing" in drawn.layout.title.subtitle.text


def test_lens_and_attribution_show_the_mean_over_positions_and_each_position(store: Store) -> None:
    for module, names in (
        (logit_lens, ["before block 0", "model"]),
        (logit_attribution, ["embed", "pos_embed", "L0H0", "L0H1"]),
    ):
        data = module.load(of_markov(store), NoParameters())
        drawn = draw(module.chart(data))
        means = [trace for trace in drawn.data if not trace.xaxis]
        assert [trace.name for trace in means] == names
        np.testing.assert_allclose(means[-1].y, data.values[:, -1].mean(axis=1))
        np.testing.assert_allclose(drawn.frames[1].data[-1].y, data.values[1, -1], rtol=1e-6)


def test_the_loss_by_position_stands_beside_what_each_strategy_reaches_there(store: Store) -> None:
    data = loss_by_position.load(of_markov(store), NoParameters())
    drawn = draw(loss_by_position.chart(data))
    by_name = {trace.name: trace for trace in drawn.data if trace.name}
    assert by_name["bigram"].y[0] == pytest.approx(by_name["unigram"].y[0], abs=0.02)
    assert by_name["bigram"].y[-1] < by_name["unigram"].y[-1] - 0.02
    assert (by_name["entropy"].y < by_name["bigram"].y).all()
    np.testing.assert_allclose(by_name["model"].y, data.model.values[-1, 0], rtol=1e-6)
    heat = next(trace for trace in drawn.data if trace.type == "heatmap")
    assert list(heat.y) == ["0", "10", "20", "40"] and heat.z.shape == (4, 8)


def test_phases_have_the_levels_and_the_events_of_the_tables(store: Store) -> None:
    data = phases.load(of_markov(store), NoParameters())
    # KL to unigram falls below that to uniform after epoch 40 / 1: 0.2 - e / 400 < 0.1 never before 40.
    assert data.events == {"previous_token": 20, "bigram": 40}
    drawn = draw(phases.chart(data))
    texts = [each.text for each in drawn.layout.annotations]
    assert "uniform 0.6931" in texts and "bigram 40" in texts
    assert "order: previous token 20, bigram 40" in drawn.layout.title.subtitle.text


def test_the_order_of_events_says_what_did_not_happen(store: Store) -> None:
    data = order.load(of_markov(store), NoParameters())
    drawn = draw(order.chart(data))
    marked = {trace.name: list(trace.x) for trace in drawn.data}
    assert marked["nearer to bigram than to unigram"] == [40]
    assert marked["half of the prefix-matching rise"] == []
    assert "no prefix matching" in drawn.layout.title.subtitle.text
    table = order.table(data)
    assert table["bigram_epoch"].tolist() == [40] and table["prefix_matching_epoch"].isna().all()


def test_one_position_has_no_axis_of_positions(store: Store) -> None:
    drawn = draw(logit_lens.chart(logit_lens.load(of_ioi(store), NoParameters())))
    assert [trace.name for trace in drawn.data] == [*(f"before block {i}" for i in range(3)), "model"]
    assert not drawn.frames and "xaxis2" not in drawn.layout


def test_composition_shows_the_whole_model_and_each_ablation_by_how_it_is_done(store: Store) -> None:
    drawn = draw(composition.chart(composition.load(of_ioi(store), NoParameters())))
    accuracy = {(t.name, t.visible): t.y for t in drawn.data if not t.yaxis or t.yaxis == "y"}
    assert accuracy["whole model", None].tolist() == [0.5, 0.625, 0.75, 1]
    assert accuracy["without queries", True].tolist() == [0.5] * 4
    assert accuracy["without keys", True][-1] == pytest.approx(0.95)  # by the mean; left out it is 0.9
    assert accuracy["without keys", False][-1] == pytest.approx(0.9)
    copies = [trace.name for trace in drawn.data if trace.yaxis == "y3"]
    assert copies == [f"L{layer}H{head}" for layer in range(3) for head in range(2)]


def test_templates_and_outcomes_are_those_of_the_artifacts(store: Store) -> None:
    drawn = draw(templates.chart(templates.load(of_ioi(store), NoParameters())))
    assert drawn.data[0].name.startswith("ABA") and drawn.data[0].y.tolist() == [1, 0.875, 0.75, 0.5]
    assert drawn.data[1].name.startswith("ABB") and drawn.data[1].y.tolist() == [0, 0.25, 0.5, 1]
    (row,) = outcomes.table(outcomes.load(of_ioi(store), NoParameters())).to_dict("records")
    assert row["setting"] == "3×2, 0.1" and row["accuracy"] == 1
    assert [row[f"drop_without_{x}"] for x in "qkv"] == pytest.approx([0.5, 0.05, 0.5])
