"""P1 over variants."""

from __future__ import annotations

import numpy as np
import pytest
from figures import EPOCHS, KEYS, MISSING, interactive, sources, traces
from synthetic import matrix, write_variant

from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures.coarseness import distribution_by_variant
from tdw.recipes.figure import NoParameters
from tdw.store import Store


def load(store: Store, *variants: str):
    return distribution_by_variant.load(sources(store, *variants), NoParameters())


def expected(seed: int, epoch: int, *, groks_at: int | None) -> np.ndarray:
    row = matrix(EPOCHS, groks_at=groks_at, neurons=12, seed=seed)[EPOCHS.index(epoch)]
    return 100 * np.histogram(row, bins=20, range=(0, 1))[0] / 12


def test_a_column_and_a_line_per_variant_are_its_share_of_neurons_and_follow_the_slider(store: Store):
    figure = interactive(distribution_by_variant, load(store, KEYS[0], KEYS[2]))
    (heat,) = traces(figure, type="heatmap")
    (line,) = traces(figure, name="p13 s485")
    np.testing.assert_allclose(heat.customdata[:, 0], expected(485, 3000, groks_at=1500), rtol=1e-6)
    np.testing.assert_allclose(line.y, expected(485, 3000, groks_at=1500), rtol=1e-6)
    frames = {frame.name: frame for frame in figure.frames}
    assert list(frames) == [str(epoch) for epoch in EPOCHS]
    np.testing.assert_allclose(
        frames["500"].data[0].customdata[:, 0], expected(485, 500, groks_at=1500), rtol=1e-6
    )
    np.testing.assert_allclose(frames["500"].data[1].y, expected(485, 500, groks_at=1500), rtol=1e-6)
    assert traces(figure, name="p17 s999 (no grok)")


def test_the_slider_stops_where_every_variant_was_analyzed_and_says_what_it_leaves_out(store: Store):
    figure = interactive(distribution_by_variant, load(store, KEYS[0], KEYS[1]))
    assert [frame.name for frame in figure.frames] == [str(e) for e in EPOCHS if e not in MISSING]
    assert "3 epochs that not all have are left out" in figure.layout.title.subtitle.text


def test_many_variants_are_groups_with_the_same_marks_at_every_stop(empty: Store):
    keys = [f"p13_s{seed}_d598" for seed in range(1, 14)]
    for place, key in enumerate(keys):
        groks_at = None if place % 3 == 0 else 1500
        missing = (300,) if place == 1 else ()
        write_variant(empty, key, epochs=EPOCHS, neurons=12, groks_at=groks_at, missing=missing)
    figure = interactive(distribution_by_variant, load(empty, *keys))
    shown = [trace.name for trace in figure.data if trace.showlegend is not False and trace.name]
    assert shown == ["grokked (n = 8)", "did not grok (n = 5)"]
    assert {len(frame.data) for frame in figure.frames} == {len(figure.data)}
    assert len(figure.frames) == len(EPOCHS), "a group has an epoch where one of its variants has it"


def test_variants_without_an_epoch_in_common_have_no_such_figure(empty: Store):
    write_variant(empty, KEYS[0], epochs=(0, 100), neurons=12, groks_at=None)
    write_variant(empty, KEYS[1], epochs=(50, 150), neurons=12, groks_at=None)
    with pytest.raises(NotFound, match="no analyzed epoch in common"):
        load(empty, KEYS[0], KEYS[1])


def test_the_table_has_the_counts_of_every_epoch(store: Store):
    table = distribution_by_variant.table(load(store, KEYS[0], KEYS[1]))
    assert list(table) == ["variant", "group", "epoch", "bin_low", "bin_high", "neurons"]
    assert len(table) == 20 * (2 * len(EPOCHS) - len(MISSING))
    assert (table.groupby(["variant", "epoch"])["neurons"].sum() == 12).all()
