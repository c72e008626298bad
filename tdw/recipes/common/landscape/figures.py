"""A21, A23: curvature and local learning coefficient over training, below the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tdw.drawing import series
from tdw.drawing.chart import Chart, Panel, sentences, with_band
from tdw.drawing.marks import Axis, Line, Rule, loss
from tdw.drawing.style import COLORS, MUTED, TEST, TRAIN
from tdw.recipes.common import subject
from tdw.recipes.common.landscape.tables import COEFFICIENT_TABLE, CURVATURE_TABLE
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources

_LOSSES = {"train_loss": ("train loss", TRAIN), "test_loss": ("test loss", TEST)}


@dataclass(frozen=True)
class Data:
    """One variant.

    Attributes:
        found: the summary; a row per scheduled epoch, NaN where it is missing.
        table: the summary as it is.
        history: losses; without rows where there is none.
    """

    subject: subject.Subject
    found: pd.DataFrame
    table: pd.DataFrame
    history: pd.DataFrame


def _load(sources: Sources, name: str) -> Data:
    reader = sources.only
    table = reader.summary(name)
    found = series.on_schedule(table, reader.scheduled)
    return Data(subject.of(reader, table["epoch"]), found, table, reader.optional_history())


def load_curvature(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of the curvature, and the losses."""
    return _load(sources, CURVATURE_TABLE.name)


def load_coefficient(sources: Sources, parameters: NoParameters) -> Data:
    """The summary of the learning coefficient, and the losses."""
    return _load(sources, COEFFICIENT_TABLE.name)


def _losses(data: Data) -> Panel:
    lines: list[Line] = []
    for name, (label, color) in _LOSSES.items():
        if name in data.history.columns:
            values = data.history[name].to_numpy(np.float64)
            x, y = series.curve(
                data.history["epoch"].to_numpy(np.int64), np.where(values > 0, values, np.nan)
            )
            lines.append(Line(x, y, name=label, color=color, width=1.6))
    return Panel(lines, y=loss(unit="", step=2))


def curvature_chart(data: Data) -> Chart:
    """Losses, eigenvalues with the mean curvature, and how much the loss rises along random directions."""
    epochs = data.found["epoch"].to_numpy()
    names = [str(c) for c in data.found.columns if str(c).startswith("eigenvalue_")]
    bends = [
        Line(epochs, _positive(data.found[name]), name=f"eigenvalue {name[11:]}", color=color,
             symbol="circle")
        for name, color in zip(names, (COLORS[0], COLORS[4], *COLORS[5:]), strict=False)
    ]  # fmt: skip
    bends.append(
        Line(epochs, _positive(data.found["mean_curvature"]), name="mean of random directions", color=MUTED,
             dash="dot", symbol="circle")
    )  # fmt: skip
    here = data.found["loss"].to_numpy(np.float64)
    rise = {
        name: data.found[f"{name}_increase"].to_numpy(np.float64) / here for name in ("median", "p10", "p90")
    }
    line = Line(epochs, rise["median"], name="median rise", color=COLORS[2], symbol="circle")
    return Chart(
        f"Curvature of the training loss · {data.subject.label}",
        (
            _losses(data),
            Panel(bends, y=Axis("curvature", "loss / weight²", log=True, form=".3~g", step=2), row=1),
            Panel(
                with_band(line, rise["p10"], rise["p90"], name="p10 to p90"),
                y=Axis("rise / loss", form=".3~g", most=4), rules=(Rule(y=0),), row=2, small=False,
            ),
        ),
        subtitle=data.subject.missing,
        heights=(32, 40, 28),
    )  # fmt: skip


def coefficient_chart(data: Data) -> Chart:
    """Losses, the estimate with its chains, and how far it has drifted."""
    epochs = data.found["epoch"].to_numpy()
    of = {name: data.found[name].to_numpy(np.float64) for name in data.found.columns}
    mean = Line(epochs, of["learning_coefficient"], name="mean of chains", color=COLORS[0], symbol="circle")
    drift = Line(epochs, of["drift"], name="second half of the draws less first", color=COLORS[1],
                 symbol="circle")  # fmt: skip
    return Chart(
        f"Local learning coefficient · {data.subject.label}",
        (
            _losses(data),
            Panel(
                with_band(mean, of["lowest_chain"], of["highest_chain"], name="lowest to highest chain",
                          opacity=0.35),
                y=Axis("λ̂", form=".4~g"), row=1,
            ),
            Panel([drift], y=Axis("drift of λ̂", form=".3~g", most=4), rules=(Rule(y=0),), row=2, small=False),
        ),
        subtitle=sentences(_settings(data.table), data.subject.missing),
        heights=(32, 42, 26),
    )  # fmt: skip


def _settings(table: pd.DataFrame) -> str:
    """The settings of the last epoch's estimate, in words."""
    row = table.iloc[-1]
    return (
        f"{row['chains']:.0f} chains of {row['burn_in']:.0f} + {row['draws']:.0f} steps, "
        f"ε = {row['step_size']:g}, γ = {row['localization']:g}, nβ = {row['n_beta']:.4g}, "
        f"seed {row['seed']:.0f}"
    )


def _positive(column: pd.Series) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    values = column.to_numpy(np.float64)
    return np.where(values > 0, values, np.nan)


def table(data: Data) -> pd.DataFrame:
    """The summary's columns, and the variant."""
    return data.subject.rows(data.table)


CURVATURE_PLOT = Plot(
    name="curvature",
    title="Curvature of the training loss",
    description="""\
Losses; the largest eigenvalues of the Hessian of the training loss, and the mean second difference along
random directions, which is about the mean of all eigenvalues; and the increase of the loss along a random
direction relative to the loss, median and middle 80 % of the directions.

**How to read it.** A large eigenvalue is a steep valley; that most directions are almost flat is usual. The
curvature of a cross-entropy falls with the loss itself, so compare their courses. Negative values are left
out of the logarithmic panel. Off by default: see the analyzer `curvature`.
""",
    code_version="1",
    scope="variant",
    load=load_curvature,
    chart=curvature_chart,
    table=table,
    needs=(f"summaries/{CURVATURE_TABLE.name}",),
    uses=("history",),
)

COEFFICIENT_PLOT = Plot(
    name="learning_coefficient",
    title="Local learning coefficient",
    description="""\
Losses; the local learning coefficient λ̂ = nβ (E[L(w)] − L(w*)) ([Lau et al.
2023](https://arxiv.org/abs/2308.12108)), mean of the chains with the lowest and the highest; and its drift,
the estimate from the second half of the draws less that from the first.

**How to read it.** Lower is more degenerate: more ways to change the weights that change the loss little. Its
height depends on the settings in the subtitle; its course counts where the chains agree and the drift is
small beside λ̂. Negative where lower loss is near. Off by default: see the analyzer `learning_coefficient`.
""",
    code_version="1",
    scope="variant",
    load=load_coefficient,
    chart=coefficient_chart,
    table=table,
    needs=(f"summaries/{COEFFICIENT_TABLE.name}",),
    uses=("history",),
)
