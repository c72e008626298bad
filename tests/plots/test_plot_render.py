from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from functools import cache
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from figures import EPOCHS, KEYS
from synthetic import FAMILY, provenance, write_variant

from tdw.drawing.matplotlib.pen import HEIGHT, WIDTH
from tdw.drawing.offline_page import NoBrowser, find_browser, to_html, to_png, to_svg
from tdw.drawing.pdf import to_pdf
from tdw.drawing.style import figure_json
from tdw.errors import BadConfig, FingerprintMismatch, NotFound
from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.making.figures import Rendered, comparison_figure, render, variant_figure
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot
from tdw.store import Store, TableAddress

each_plot = pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.name)


@cache
def drawn(store: Store, plot: Plot) -> Rendered:
    return draw(store, plot)


def draw(store: Store, plot: Plot) -> Rendered:
    variants = KEYS[:1] if plot.scope == "variant" else KEYS
    return render(plot, store, family=FAMILY, variants=variants, order=KEYS, scheduled=EPOCHS)


@each_plot
def test_the_bundle_holds_figure_preview_and_data(store: Store, plot: Plot):
    files = drawn(store, plot).files
    assert set(files) == {"figure.json", "preview.png", "data.csv"}
    assert len(pd.read_csv(StringIO(files["data.csv"].decode()))) > 0


@each_plot
def test_the_preview_is_a_png_that_fits_the_asset_page(store: Store, plot: Plot):
    png = drawn(store, plot).files["preview.png"]
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width <= WIDTH and height <= HEIGHT
    assert len(png) < 200_000


@each_plot
def test_figure_json_comes_back_as_the_same_figure(store: Store, plot: Plot):
    import plotly.io as pio

    text = drawn(store, plot).files["figure.json"].decode()
    figure = pio.from_json(text)  # Refuses attributes that Plotly does not know.
    assert json.loads(figure_json(figure)) == json.loads(text)
    assert len(figure.data) > 0 and figure.layout.title.text
    assert figure.layout.height is None and figure.layout.width is None


@each_plot
def test_the_same_store_gives_the_same_bytes(store: Store, plot: Plot):
    assert draw(store, plot).files == drawn(store, plot).files


@each_plot
def test_every_axis_that_is_shown_has_a_title(store: Store, plot: Plot):
    layout = json.loads(drawn(store, plot).files["figure.json"])["layout"]
    axes = {name: axis for name, axis in layout.items() if re.fullmatch(r"[xy]axis\d*", name)}
    assert axes
    for name, axis in axes.items():
        if axis.get("visible") is False or axis.get("showticklabels") is False:
            continue
        assert axis.get("title", {}).get("text"), f"{plot.name}: {name}"


@each_plot
def test_nothing_makes_plotly_measure_labels_and_draw_again(store: Store, plot: Plot):
    assert "automargin" not in drawn(store, plot).files["figure.json"].decode()


@each_plot
def test_inputs_are_recorded_with_fingerprints_of_their_content(store: Store, plot: Plot):
    found = drawn(store, plot).provenance
    names = {name.split("/", 1)[1] if plot.scope == "comparison" else name for name in found.inputs}
    for need in plot.needs:
        if need != "checkpoints":
            assert any(name == need or name.startswith(f"{need}/") for name in names), need
    assert all(re.fullmatch(r"[0-9a-f]{12}", content) for content in found.inputs.values())


@each_plot
def test_without_what_it_needs_a_plot_says_what_is_missing(empty: Store, plot: Plot):
    with pytest.raises(NotFound):
        render(plot, empty, family=FAMILY, variants=KEYS[:1], scheduled=EPOCHS)


def test_a_bundle_is_committed_and_read_back(store: Store, empty: Store):
    made = drawn(store, catalog_of(FAMILY).plot("mean_coarseness"))
    made.write(empty)
    bundle = empty.read_document(FAMILY.name, KEYS[0], "mean_coarseness")
    assert bundle.read("figure.json") == made.files["figure.json"]
    assert bundle.provenance == made.provenance


def test_a_changed_input_changes_its_fingerprint(empty: Store):
    plot = catalog_of(FAMILY).plot("training_curves")
    write_variant(empty, KEYS[0], epochs=(0, 10), neurons=4, groks_at=None)
    before = render(plot, empty, family=FAMILY, variants=KEYS[:1]).provenance.inputs
    write_variant(empty, KEYS[0], epochs=(0, 10, 20), neurons=4, groks_at=None)
    after = render(plot, empty, family=FAMILY, variants=KEYS[:1]).provenance.inputs
    assert before["history"] != after["history"]


def test_a_figure_refuses_summaries_of_two_different_models(empty: Store):
    write_variant(empty, KEYS[0], epochs=(0, 10), neurons=4, groks_at=None)
    address = TableAddress(FAMILY.name, KEYS[0], "coarseness")
    other = provenance(KEYS[0], "coarseness", variant_fingerprint="f" * 64)
    empty.write_table(address, empty.read_table(address), provenance=other)
    with pytest.raises(FingerprintMismatch, match=r"variant_fingerprint.*summaries/coarseness"):
        render(catalog_of(FAMILY).plot("mean_coarseness"), empty, family=FAMILY, variants=KEYS[:1])


def test_an_unknown_plot_or_parameter_is_refused_with_the_known_ones(store: Store):
    with pytest.raises(BadConfig, match="training_curves"):
        catalog_of(FAMILY).plot("nonsense")
    with pytest.raises(BadConfig, match="no plot of a variant"):
        catalog_of(FAMILY).plot("mean_coarseness_comparison", scope="variant")
    with pytest.raises(BadConfig, match="has no parameter"):
        variant_figure(store, FAMILY, KEYS[0], "mean_coarseness", radius=2)


def test_the_notebook_functions_give_figures(store: Store):
    assert variant_figure(store, FAMILY, KEYS[0], "mean_coarseness").data
    assert comparison_figure(store, FAMILY, "mean_coarseness_comparison").data
    two = comparison_figure(store, FAMILY, "mean_coarseness_comparison", variants=KEYS[:2])
    assert {t.name for t in two.data if t.showlegend is not False} == {"p13 s485", "p13 s999"}


def test_html_is_one_file_that_loads_nothing_from_elsewhere(store: Store):
    from plotly.offline import get_plotlyjs

    page = to_html(variant_figure(store, FAMILY, KEYS[0], "mean_coarseness"))
    own = page.replace(get_plotlyjs(), "")
    assert len(own) < len(page) - 1_000_000
    assert "http://" not in own and "https://" not in own and " src=" not in own and "<link" not in own
    assert "default-src 'none'" in own
    assert "sendChartToCloud" in own


def test_a_label_cannot_close_the_script_of_the_page():
    from tdw.drawing import style

    page = to_html(style.figure("</script><script>alert(1)</script>", []))
    assert "alert(1)</script>" not in page


def test_without_a_browser_the_error_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROWSER_PATH", "/nowhere/chromium")
    with pytest.raises(NoBrowser, match="install Chromium"):
        find_browser()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.ci
def test_a_figure_is_exported_as_png_and_svg_of_the_size_asked_for(store: Store):
    try:
        find_browser()
    except NoBrowser as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    figure = variant_figure(store, FAMILY, KEYS[0], "neuron_coarseness")
    png = to_png(figure, width=600, height=400, scale=1)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", png[16:24]) == (600, 400)
    assert len(np.unique(pixels(png).reshape(-1, 3), axis=0)) > 50, "an empty picture"
    svg = to_svg(figure, width=600, height=400).decode()
    assert svg.startswith("<svg") and 'width="600"' in svg
    assert "Coarseness by neuron" in svg and "epoch (optimizer steps)" in svg


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.ci
def test_a_page_is_printed_as_pdf():
    try:
        find_browser()
    except NoBrowser as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    printed = to_pdf(b"<!doctype html><style>p { break-after: page }</style><p>one</p><p>two</p><b>three</b>")
    assert printed.startswith(b"%PDF-") and printed.rstrip().endswith(b"%%EOF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 3


@pytest.mark.slow
def test_a_browser_that_does_not_draw_is_named_with_what_to_do(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("BROWSER_PATH", str(broken))
    with pytest.raises(NoBrowser, match=re.escape(str(broken))) as caught:
        to_png(variant_figure(store, FAMILY, KEYS[0], "blob_count"))
    assert "BROWSER_PATH" in caught.value.remedy
    with pytest.raises(NoBrowser, match="did not print the page"):
        to_pdf(b"<!doctype html>")


def pixels(png: bytes) -> np.ndarray:
    """uint8 (height, width, 3) of an opaque PNG."""
    from matplotlib.image import imread

    return (imread(BytesIO(png))[..., :3] * 255).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.ci
def test_figures_are_drawn_without_torch(store: Store):
    """Figures read artifacts and summaries, never a model."""
    code = f"""
import sys
from tdw.families.modulo_addition_1layer.figures import PLOTS
assert not {{"plotly", "matplotlib", "pandas"}} & set(sys.modules), "heavy imports with the registry"
from tdw.families import get_family
from tdw.making.figures import render
from tdw.store import Store
family = get_family({FAMILY.name!r})
for plot in PLOTS:
    keys = {KEYS!r} if plot.scope == "comparison" else {KEYS[:1]!r}
    render(plot, Store({str(store.root)!r}), family=family, variants=keys, scheduled={EPOCHS!r})
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
