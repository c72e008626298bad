"""Figures of the quadratic network, of weights that are the known solution at the last epoch."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
import synthetic_sequences as made

from tdw.drawing.chart import Chart
from tdw.drawing.matplotlib.pen import small_png
from tdw.drawing.plotly.pen import figure
from tdw.drawing.style import figure_json
from tdw.families import get_family
from tdw.families.quadratic_mlp.figures import PLOTS, neuron_maps, neuron_weights, neurons, phases
from tdw.families.quadratic_mlp.solution import solution
from tdw.recipes.figure import NoParameters, Plot
from tdw.store import Address, Store

P, WIDTH, KEY = 13, 50, "p13_s0_width50"
FAMILY = get_family("quadratic_mlp")


def weights(epoch: int) -> dict[str, np.ndarray]:
    """The solution, under noise that is gone at the last epoch; two neurons are left over and stay noise."""
    rng = np.random.default_rng(epoch)
    found = {name: tensor.numpy() for name, tensor in solution(P, WIDTH).items()}
    noisy = {
        name: (array + (40 - epoch) / 10 * rng.standard_normal(array.shape)).astype(np.float32)
        for name, array in found.items()
    }
    for name, array in noisy.items():
        rest = 0.01 * rng.standard_normal((P, 2)).astype(np.float32)
        if name == "W_out":
            array[-2:] = rest.T
        else:
            array[:, -2:] = rest
    return noisy


def arrays(config: Any, analyzer: str, epoch: int) -> dict[str, np.ndarray]:
    import torch

    from tdw.recipes.catalog import catalog_of

    given = {name: torch.as_tensor(array) for name, array in weights(epoch).items()}
    context = FAMILY.open_checkpoint(config, weights(epoch), lambda: FAMILY.probe_pass(config, given))
    recipe = catalog_of(FAMILY).analyzer(analyzer)
    return dict(recipe.function(context, recipe.parameters()))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> made.Sources:
    store = Store(tmp_path_factory.mktemp("quadratic"))
    made.write(store, FAMILY.name, KEY, arrays)
    for epoch in made.EPOCHS:
        address = Address(FAMILY.name, KEY, "checkpoints", epoch)
        store.write(address, weights(epoch), provenance=made.provenance(FAMILY, KEY, "checkpoints", epoch))
    return made.sources(store, FAMILY, KEY)


def draw(chart: Chart) -> Any:
    return figure(chart)


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)
def test_every_figure_is_drawn_by_both_pens_with_titles_on_its_axes(
    sources: made.Sources, plot: Plot
) -> None:
    data = plot.load(sources, plot.parameters())
    chart = plot.chart(data)
    layout = json.loads(figure_json(draw(chart)))["layout"]
    axes = {name: axis for name, axis in layout.items() if re.fullmatch(r"[xy]axis\d*", name)}
    bare = [axis for axis in axes.values() if axis.get("showticklabels") is False]
    titled = [axis for name, axis in axes.items() if axis["title"].get("text") and axis not in bare]
    assert titled or len(bare) == len(axes)
    assert all(axes[name]["title"]["text"] for name in ("xaxis", "yaxis") if axes[name] not in bare)
    assert small_png(chart)[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(plot.table(data)) and "How to read it" in plot.description


def test_neurons_of_the_solution_are_counted_by_frequency(sources: made.Sources) -> None:
    data = neurons.load(sources, NoParameters())
    assert data.width == WIDTH and data.counts.shape == ((P - 1) // 2, len(made.EPOCHS))
    # Eight neurons per frequency, and the two of noise may fall anywhere.
    assert (data.counts[:, -1] >= 8).all() and data.counts[:, -1].sum() <= WIDTH
    drawn = draw(neurons.chart(data))
    lines = {trace.name: trace for trace in drawn.data}
    assert lines["neurons with one frequency"].y[-1] >= 48 / 50
    assert lines["mean cos of the phase mismatch"].y[-1] > 0.9
    assert lines["W_out"].y[0] < 0.6 < lines["W_out"].y[-1]
    assert f"of {WIDTH} neurons have one frequency, 6 frequencies" in drawn.layout.title.subtitle.text


def test_phases_of_the_solution_lie_on_the_diagonal(sources: made.Sources) -> None:
    data = phases.load(sources, NoParameters())
    solved = slice(0, 48)
    assert data.known[-1, solved].all() and not data.known[0].all()
    turn = np.exp(1j * (data.sum_of_phases[-1] - data.phase[-1]))[solved]
    np.testing.assert_allclose(turn, 1, atol=1e-4)
    drawn = draw(phases.chart(data))
    assert [frame.name for frame in drawn.frames] == ["0", "10", "20", "40"]
    bars = drawn.frames[-1].data[-1].y
    assert bars[len(bars) // 2] >= 48 and bars.sum() == data.known[-1].sum()
    assert len(phases.table(data)) == WIDTH * len(made.EPOCHS)


def test_weights_of_a_solved_neuron_are_one_period_of_a_cosine(sources: made.Sources) -> None:
    data = neuron_weights.load(sources, neuron_weights.Parameters(neurons=4))
    assert data.weights.shape == (4, 4, 3, P) and set(data.neurons) < set(range(48))
    drawn = draw(neuron_weights.chart(data))
    assert len(drawn.data) == 12 and [trace.name for trace in drawn.data[:3]] == ["W_a", "W_b", "W_out"]
    for trace in drawn.data:
        np.testing.assert_array_equal(trace.x, np.arange(P))
        power = np.abs(np.fft.rfft(trace.y)) ** 2
        assert power[1] / power[1:].sum() > 0.999  # one period from left to right, whatever its frequency


def test_maps_are_of_the_neurons_that_are_strongest_at_their_epoch(sources: made.Sources) -> None:
    data = neuron_maps.load(sources, NoParameters())
    drawn = draw(neuron_maps.chart(data))
    first = [frame.layout.annotations[0].text for frame in drawn.frames]
    assert first == [f"neuron {each[0]}" for each in data.neurons]
    assert drawn.data[0].z.shape == (P, P) and drawn.data[0].z.max() == 100
    last = weights(40)
    neuron = data.neurons[-1, 0]
    expected = (last["W_a"][:, None, neuron] + last["W_b"][None, :, neuron]) ** 2
    np.testing.assert_allclose(drawn.data[0].z, 100 * expected / expected.max(), atol=1)
