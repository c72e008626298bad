"""A22 and its neighbors: coarseness against frequency, heads in groups of neurons, clusters of profiles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figures import EPOCHS, KEYS, interactive, sources, traces
from synthetic import FAMILY, matrix

from tdw.errors import NotFound
from tdw.families.modulo_addition_1layer.figures.neurons import (
    coarseness_by_frequency,
    head_composition,
    scale_clusters,
)
from tdw.families.modulo_addition_1layer.maths.coarseness.pure_waves import reference_line
from tdw.store import Address, Store, TableAddress


def load(module: Any, store: Store, **parameters: Any) -> Any:
    return module.load(sources(store, KEYS[0]), module.PLOT.parameters(**parameters))


def test_every_neuron_that_varies_is_a_point_beside_the_curve_of_pure_waves(store: Store):
    data = load(coarseness_by_frequency, store)
    drawn = interactive(coarseness_by_frequency, data)
    assert len(drawn.frames) == len(EPOCHS)
    (curve,) = traces(drawn, name="pure wave", fill=None)
    line = reference_line(13).query("relu and shape == 'of_both'").groupby("frequency")["coarseness"].mean()
    np.testing.assert_allclose(curve.y, line)
    found = store.read(Address(FAMILY.name, KEYS[0], "neuron_frequencies", EPOCHS[-1])).arrays
    values = matrix(EPOCHS, groks_at=1500, neurons=12, seed=485)[-1]
    points = {t.name: t for t in drawn.data if t.name in ("mixed neurons", "neurons of one frequency")}
    shown = {int(n): (x, y) for t in points.values() for n, x, y in zip(t.customdata, t.x, t.y, strict=True)}
    assert shown == {n: (found["best_frequency"][n], pytest.approx(values[n])) for n in range(12)}
    one = points["neurons of one frequency"].customdata
    assert sorted(one.tolist()) == np.flatnonzero(found["best_fraction"] >= 0.7).tolist()


def test_the_table_says_what_a_neuron_has_beyond_its_frequency(store: Store):
    data = load(coarseness_by_frequency, store)
    table = coarseness_by_frequency.table(data)
    assert len(table) == 12 * len(EPOCHS)
    np.testing.assert_allclose(table["excess"], table["coarseness"] - table["pure_wave"])


def test_without_an_epoch_that_has_both_artifacts_it_is_said_which_are_wanted(store: Store, tmp_path: Path):
    shutil.copytree(store.root, tmp_path / "copy")
    gaps = Store(tmp_path / "copy")
    for kind, epochs in (("coarseness", EPOCHS[:3]), ("neuron_frequencies", EPOCHS[3:])):
        for epoch in epochs:
            gaps.delete(Address(FAMILY.name, KEYS[0], kind, epoch))
    with pytest.raises(NotFound, match="no epoch with coarseness and neuron_frequencies"):
        load(coarseness_by_frequency, gaps)


def test_heads_have_a_line_per_group_and_groups_one_per_quantity(store: Store):
    data = load(head_composition, store)
    drawn = interactive(head_composition, data)
    summary = store.read_table(TableAddress(FAMILY.name, KEYS[0], "head_composition"))
    plaid = [t for t in traces(drawn, name="head 2") if t.yaxis == "y3"]
    expected = summary[(summary["group"] == "plaid") & (summary["head"] == 2)]["share"]
    (line,) = plaid
    np.testing.assert_allclose(line.y, expected)
    assert len(traces(drawn, name="blobs")) == 2


def test_the_legend_names_the_neuron_that_stands_for_a_cluster(store: Store):
    data = load(scale_clusters, store)
    drawn = interactive(scale_clusters, data)
    summary = store.read_table(TableAddress(FAMILY.name, KEYS[0], "scale_clusters"))
    standing = summary[summary["representative"]].sort_values("cluster")
    sizes = summary["cluster"].value_counts()
    names = [t.name for t in drawn.data if t.showlegend is not False]
    assert names == [f"{sizes[row['cluster']]} like neuron {row['neuron']}" for _, row in standing.iterrows()]
    last = store.read(Address(FAMILY.name, KEYS[0], "scale_profiles", EPOCHS[-1])).arrays["profiles"]
    members = summary.loc[summary["cluster"] == 0, "neuron"]
    (course,) = [t for t in drawn.data if t.name == "cluster 0"]
    assert course.y[-1] == pytest.approx((last[members] @ np.arange(3)).mean())
