"""P5: how many neurons are blobs, by threshold and epoch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing import preview, series, style
from tdw.families.modulo_addition_1layer.figures import blob_control
from tdw.families.modulo_addition_1layer.figures import grokking_mark as grokking
from tdw.families.modulo_addition_1layer.figures.mean_coarseness import subtitle
from tdw.parameters import is_number, require
from tdw.recipes.figure import Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reader import Sources, VariantReader

_PREFIX = "num_blob_neurons_"
_DEFAULT = "0.7"
# From Viridis, where it can be seen on white and on black.
_THRESHOLD_COLORS = ("#7C5BA6", "#31789B", "#27A07F", "#A3A800")


@dataclass(frozen=True)
class Parameters:
    """What to compare with.

    Attributes:
        reference: number of neurons at which a dashed line is drawn, such as a minimum to be tested; or None.
        reference_label: what it is.
    """

    reference: float | None = None
    reference_label: str = "reference"

    def __post_init__(self) -> None:
        require(
            self.reference is None or (is_number(self.reference) and self.reference >= 0),
            "reference",
            self.reference,
            wanted="a number of neurons, or null for no line",
        )


@dataclass(frozen=True)
class Line:
    """One variant.

    Attributes:
        counts: columns epoch, then a threshold each ("0.5", ...): neurons at or above; a row a scheduled
            epoch, NaN where it is missing.
        neurons: how many there are.
        control: what renamed residues would give; None where there is no such summary.
        missing: what is missing, in words, or "".
    """

    variant: str
    label: str
    look: style.Look
    counts: pd.DataFrame
    neurons: int
    grokking: grokking.Grokking
    control: blob_control.Control | None
    missing: str


@dataclass(frozen=True)
class Data:
    """Lines in the study's order, and the labels of variants without the summary."""

    lines: tuple[Line, ...]
    left_out: tuple[str, ...]
    parameters: Parameters

    @property
    def thresholds(self) -> list[str]:
        """Ascending, as in the columns' names."""
        shared = set[str].intersection(*({str(c) for c in line.counts.columns} for line in self.lines))
        return sorted(shared - {"epoch"}, key=float)


def load(sources: Sources, parameters: Parameters) -> Data:
    """Every variant that has a coarseness summary."""
    return Data(*sources.collect(_load_line), parameters=parameters)


def _load_line(reader: VariantReader) -> Line:
    table = reader.summary("coarseness")
    names = {str(c): str(c).removeprefix(_PREFIX) for c in table.columns if str(c).startswith(_PREFIX)}
    counts = table[["epoch", *names]].rename(columns=names)
    return Line(
        variant=reader.variant,
        label=reader.label,
        look=reader.look,
        counts=series.on_schedule(counts, reader.scheduled),
        neurons=int(table["num_neurons"].iloc[-1]),
        grokking=grokking.load(reader),
        control=blob_control.load(reader, counts, preferred=_DEFAULT),
        missing=series.missing_note(table["epoch"], reader.scheduled),
    )


def build(data: Data) -> style.Figure:
    """The interactive figure."""
    one = len(data.lines) == 1
    line = data.lines[0]
    thresholds = data.thresholds
    default = _DEFAULT if _DEFAULT in thresholds else thresholds[-1]
    traces: list[dict[str, Any]] = []
    of: list[str] = []
    for line_ in data.lines:
        for i, threshold in enumerate(thresholds):
            traces.append(_trace(line_, threshold, place=i, one=one, visible=one or threshold == default))
            of.append(threshold)
    entries = [
        style.restyle(f"≥ {threshold}", range(len(of)), visible=[t == threshold for t in of])
        for threshold in thresholds
    ]
    if one:
        entries.insert(0, style.restyle("all", range(len(of)), visible=[True] * len(of)))
    menus = [style.buttons(entries, active=0 if one else thresholds.index(default))]
    controls = [_control(line_, one=one) for line_ in data.lines if line_.control is not None]
    if controls:
        places = range(len(traces), len(traces) + len(controls))
        choice = (("with control", True), ("without", False))
        switch = [
            {
                "label": label,
                "method": "update",
                "args": [
                    {"visible": [shown] * len(places)},
                    {"yaxis.range": _range(data, control=shown)},
                    list(places),
                ],
            }
            for label, shown in choice
        ]
        menus.append(style.buttons(switch, at="left", active=0 if one else 1))
        traces += controls
    marks = grokking.marks(line.grokking if one else grokking.Grokking())
    reference = _reference(data.parameters)
    return style.figure(
        f"Blob neurons · {line.label}" if one else "Blob neurons by variant",
        traces,
        subtitle=subtitle(data.lines, data.left_out),
        xaxis=style.epoch_axis(),
        yaxis={
            "title": {"text": f"neurons (of {line.neurons})"},
            "range": _range(data, control=one),
        },
        shapes=marks["shapes"] + reference["shapes"],
        annotations=marks["annotations"] + reference["annotations"],
        updatemenus=menus,
    )


def _range(data: Data, *, control: bool) -> list[float]:
    counts = [line.counts[data.thresholds].to_numpy(np.float64) for line in data.lines]
    if control:
        means = [line.control.counts["neurons"] for line in data.lines if line.control is not None]
        counts += [mean.to_numpy(np.float64) for mean in means]
    top = max(float(np.nanmax(each, initial=1)) for each in counts)
    return [0, 1.04 * max(top, data.parameters.reference or 0)]


def _trace(line: Line, threshold: str, *, place: int, one: bool, visible: bool) -> dict[str, Any]:
    look = line.look
    no_grok = " (no grok)" if line.grokking.known and line.grokking.epoch is None else ""
    color = _THRESHOLD_COLORS[place % len(_THRESHOLD_COLORS)] if one else look.color
    return {
        "type": "scatter",
        "x": line.counts["epoch"].to_numpy(),
        "y": line.counts[threshold].to_numpy(np.float64),
        "mode": "lines+markers",
        "connectgaps": False,
        "line": {"color": color, "width": 2, "dash": "solid" if one else look.dash},
        "marker": {"size": 4 if one else 5, "symbol": style.SYMBOLS[place] if one else look.symbol},
        "name": f"coarseness ≥ {threshold}" if one else line.label + no_grok,
        "visible": visible,
        "showlegend": True,
        "hovertemplate": "%{y:,d} neurons",
    }


def _control(line: Line, *, one: bool) -> dict[str, Any]:
    control = line.control
    assert control is not None
    return {
        "type": "scatter",
        "x": control.counts["epoch"].to_numpy(),
        "y": control.counts["neurons"].to_numpy(np.float64),
        "mode": "lines",
        "connectgaps": False,
        "line": {"color": style.MUTED if one else line.look.color, "width": 1.5, "dash": "dot"},
        "opacity": 1 if one else 0.75,
        "name": control.name if one else f"{line.label} {control.name}",
        "visible": one,
        "hovertemplate": "%{y:,.1f} neurons",
    }


def _reference(parameters: Parameters) -> dict[str, list[dict[str, Any]]]:
    if parameters.reference is None:
        return {"shapes": [], "annotations": []}
    at = {"xref": "paper", "yref": "y"}
    shape = {"type": "line", "x0": 0, "x1": 1, "y0": parameters.reference, "y1": parameters.reference, **at}
    note = {"text": parameters.reference_label, "x": 1, "y": parameters.reference, "showarrow": False, **at}
    return {
        "shapes": [{**shape, "line": {"color": style.MUTED, "width": 1.5, "dash": "dash"}}],
        "annotations": [{**note, "xanchor": "right", "yanchor": "bottom", "font": {"size": 12}}],
    }


def draw_preview(data: Data) -> bytes:
    """The same lines, small; several variants at one threshold."""
    one = len(data.lines) == 1
    thresholds = data.thresholds
    shown = thresholds if one else [_DEFAULT if _DEFAULT in thresholds else thresholds[-1]]
    title = f"Blob neurons · {data.lines[0].label}" if one else f"Blob neurons (coarseness ≥ {shown[0]})"
    figure, (axis,) = preview.canvas(title)
    for line in data.lines:
        for i, threshold in enumerate(shown):
            axis.plot(
                line.counts["epoch"],
                line.counts[threshold].to_numpy(np.float64),
                color=_THRESHOLD_COLORS[i % len(_THRESHOLD_COLORS)] if one else line.look.color,
                linewidth=1.3,
                marker=".",
                markersize=2,
                label=f"≥ {threshold}" if one else line.label,
            )
    if one and data.lines[0].grokking.epoch is not None:
        axis.axvline(data.lines[0].grokking.epoch, color=style.MUTED, linewidth=0.8, linestyle="--")
    if data.parameters.reference is not None:
        axis.axhline(data.parameters.reference, color=style.MUTED, linewidth=0.8, linestyle="--")
    axis.set_ylim(_range(data, control=False))
    preview.epochs(axis)
    preview.label(axis, y="neurons")
    preview.legend(axis, ncols=1 if one else 2)
    return preview.to_png(figure)


def table(data: Data) -> pd.DataFrame:
    """Columns variant, epoch, threshold, neurons (at or above); empty where the epoch is missing. And
    relabelled_neurons, at the control's threshold: the mean over the labellings.
    """
    import pandas as pd

    tables = [_long(line, data.thresholds) for line in data.lines]
    return pd.concat(tables, ignore_index=True)[
        ["variant", "epoch", "threshold", "neurons", "relabelled_neurons"]
    ]


def _long(line: Line, thresholds: list[str]) -> pd.DataFrame:
    found = line.counts.melt("epoch", thresholds, var_name="threshold", value_name="neurons")
    found = found.assign(variant=line.variant, relabelled_neurons=np.nan)
    if line.control is not None:
        means = found["epoch"].map(line.control.counts.set_index("epoch")["neurons"])
        found["relabelled_neurons"] = means.where(found["threshold"] == line.control.threshold)
    return found


DESCRIPTION = """\
Number of MLP neurons whose coarseness is at or above a threshold, against epoch. The buttons choose the
threshold; 0.7 is what *blob* means elsewhere. Dotted: the relabelling control, the mean number of blobs
over all labellings x → c x of the residues. The task does not see how residues are named, so a count near
the dotted line is what any names would give. A dashed line is drawn where the plot's parameter `reference`
names a number of neurons.

**How to read it.** Whether blobs form before the test loss falls, whether their number settles, and how
much of what one sees depends on the threshold. Points are checkpoints; a missing checkpoint leaves a gap.
"""

PLOT = Plot(
    name="blob_count",
    title="Blob neurons",
    description=DESCRIPTION,
    code_version="2",
    scope="variant",
    load=load,
    build=build,
    preview=draw_preview,
    table=table,
    needs=("summaries/coarseness",),
    uses=("summaries/grokking", blob_control.USES),
    parameters=Parameters,
)

COMPARISON = dataclasses.replace(
    PLOT,
    name="blob_count_comparison",
    title="Blob neurons by variant",
    description=DESCRIPTION + "\nOne color and symbol a variant, the same in every figure.\n",
    scope="comparison",
)
