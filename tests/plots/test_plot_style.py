from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from tdw.drawing import style
from tdw.drawing.chart import Chart, Choice, Option, Panel
from tdw.drawing.marks import Axis, Line
from tdw.drawing.matplotlib.axes import leave_out_minor_ticks
from tdw.drawing.matplotlib.pen import small_png, svg
from tdw.drawing.plotly.pen import figure
from tdw.families.modulo_addition_1layer.figures import PLOTS


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_eight_variants_differ_in_color_and_in_symbol():
    found = style.looks([f"v{i}" for i in range(8)])
    assert len({look.color for look in found.values()}) == 8
    assert len({look.symbol for look in found.values()}) == 8


def test_variants_that_share_a_color_differ_in_dash_and_symbol():
    found = list(style.looks([f"v{i}" for i in range(16)]).values())
    for first, second in zip(found[:8], found[8:], strict=True):
        assert first.color == second.color
        assert first.dash != second.dash and first.symbol != second.symbol


def test_a_variant_keeps_its_look_when_others_are_added_after_it():
    assert style.looks(["a", "b"])["b"] == style.looks(["a", "b", "c"])["b"]


def test_every_color_can_be_seen_on_the_light_and_on_the_dark_background():
    backgrounds = [style.template(dark=dark)["layout"]["plot_bgcolor"] for dark in (False, True)]
    for color in (*style.COLORS, style.TRAIN, style.TEST, style.ACCENT, style.MUTED):
        assert min(contrast(color, background) for background in backgrounds) >= 1.9


def test_text_is_readable_in_both_templates():
    for dark in (False, True):
        layout = style.template(dark=dark)["layout"]
        assert contrast(layout["font"]["color"], layout["paper_bgcolor"]) >= 7
        button = layout["updatemenudefaults"]
        assert contrast(button["font"]["color"], button["bgcolor"]) >= 7


def test_labels_drop_what_all_variants_share():
    labels = style.short_labels(["p97_s485_d598", "p97_s999_d598", "p113_s999_d598"])
    assert list(labels.values()) == ["p97 s485", "p97 s999", "p113 s999"]
    assert style.short_labels(["p97_s485_d598"]) == {"p97_s485_d598": "p97_s485_d598"}


def margin(*names: str, right: bool = False, **more: Any) -> Any:
    x = np.arange(3)
    marks = [Line(x, x, name=name, **more) for name in names]
    axis = Axis("right") if right else None
    hide = Choice((Option("without"), Option("with", ("tag",))))
    return figure(Chart("", (Panel(marks, y=Axis("y"), right=axis),), choices=(hide,))).layout.margin


def test_the_legends_rows_get_their_room_by_hand():
    plain = margin("alone").b  # one mark has no legend
    assert margin("a", "b", legend=False).b == plain
    assert margin("a", "b").b == plain + 20
    assert margin("a", "b", tag="tag").b == plain
    assert margin(*["a long name of a line"] * 7).b == plain + 3 * 20


def test_a_second_axis_gets_its_room_by_hand():
    assert margin("a", right=True).r == 80
    assert margin("a").r == 30


def test_nothing_in_the_tool_bar_sends_a_figure_away():
    assert "sendChartToCloud" in style.CONFIG["modeBarButtonsToRemove"]
    assert style.CONFIG["plotlyServerURL"] == "" and style.CONFIG["displaylogo"] is False


def test_plot_names_are_unique_and_descriptions_say_how_to_read_the_figure():
    assert len({plot.name for plot in PLOTS}) == len(PLOTS)
    for plot in PLOTS:
        assert "How to read it" in plot.description, plot.name
        assert plot.needs, plot.name


def test_a_printed_figure_has_no_style_of_the_callers():
    import matplotlib

    line = Line(np.array([0.0, 1.0]), np.array([1.0, 2.0]), name="a")
    chart = Chart("t", (Panel([line], y=Axis("loss")),))
    expected = svg(chart, height=2), small_png(chart)
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "xtick.labelsize": 20}):
        assert (svg(chart, height=2), small_png(chart)) == expected


def names_at(count: int, letters: int) -> Chart:
    names = tuple("p" * letters for _ in range(count))
    line = Line(np.arange(count), np.arange(count), name="")
    return Chart("t", (Panel((line,), y=Axis("y"), x=Axis("", names=names)),))


def test_the_legend_of_a_small_picture_lies_within_it():
    lines = [Line(np.arange(3), np.arange(3) + i, name=f"p10{i} s485") for i in range(8)]
    pixels = imread(BytesIO(small_png(Chart("t", (Panel(lines, y=Axis("y")),)))))[..., :3]
    below = pixels[200:]
    assert below[:, :3].min() == 1 and below[:, -3:].min() == 1 and below.min() < 1


def test_names_below_an_axis_stand_aslant_where_they_would_run_into_each_other():
    aslant, level = (svg(names_at(8, letters), height=2).decode().count("rotate(-30 ") for letters in (16, 3))
    assert (aslant, level) == (8, 0)


def test_a_logarithmic_axis_has_powers_of_ten_as_text():
    def labels(low: float, high: float) -> list[str]:
        line = Line(np.array([0.0, 1.0]), np.array([low, high]), name="a")
        drawn = svg(Chart("t", (Panel([line], y=Axis("loss", log=True)),)), height=2).decode()
        return [text for text in re.findall(r">([^<>\n]+)</text>", drawn) if "10" in text]

    assert labels(1e-7, 10) == ["10⁻⁷", "10⁻⁵", "10⁻³", "10⁻¹", "10¹"]
    assert labels(2, 8) == ["2×10⁰", "3×10⁰", "4×10⁰", "6×10⁰"]


def test_a_small_logarithmic_axis_has_minor_ticks_only_where_they_have_labels():
    def minor_ticks(low: float, high: float) -> int:
        axis: Any = Figure().add_subplot()
        axis.set_yscale("log")
        axis.set_ylim(low, high)
        leave_out_minor_ticks(axis.yaxis)
        return len(axis.yaxis.get_minorticklocs())

    assert minor_ticks(1e-3, 10) == 0
    assert minor_ticks(2, 8) > 0
