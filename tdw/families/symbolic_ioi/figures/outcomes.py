"""Every variant's outcome side by side, by depth, heads and size of the initialization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tdw.drawing.chart import Chart, Panel, sentences
from tdw.drawing.marks import AnyMark, Axis, Points
from tdw.drawing.style import COLORS, SYMBOLS
from tdw.families.symbolic_ioi.analyzers import INPUTS
from tdw.recipes.figure import NoParameters, Plot

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.reading.reader import Sources, VariantReader

_DROPS = dict(zip(INPUTS[1:], ("without queries", "without keys", "without values"), strict=True))


@dataclass(frozen=True)
class Data:
    """One row per variant: variant, setting, accuracy, drop_without_{q,k,v} (mean ablation), 0 to 1."""

    rows: pd.DataFrame
    left_out: tuple[str, ...]


def load(sources: Sources, parameters: NoParameters) -> Data:
    """The last row of every variant's table of composition."""
    import pandas as pd

    from tdw.families.symbolic_ioi.config import Config

    def read(reader: VariantReader) -> Mapping[str, Any]:
        last = reader.summary("composition").iloc[-1]
        config = Config.parse(reader.variant)
        return {
            "variant": reader.variant,
            # Short: the figure has little room left of its axis.
            "setting": f"{config.n_layers}×{config.n_heads}, {config.init_std:g}",
            "accuracy": last["accuracy"],
            **{f"drop_without_{x}": last["accuracy"] - last[f"accuracy_{x}_mean"] for x in _DROPS},
        }

    found, left_out = sources.collect(read)
    return Data(pd.DataFrame(found), left_out)


def chart(data: Data) -> Chart:
    """A row per setting, a point per seed: accuracy at the left, what ablations take away at the right."""
    settings = list(dict.fromkeys(data.rows["setting"]))
    # Seeds of a setting stand a little above each other.
    rank = data.rows.groupby("setting").cumcount().to_numpy(np.float64)
    most = data.rows.groupby("setting")["setting"].transform("size").to_numpy(np.float64)
    place = data.rows["setting"].map({name: i for i, name in enumerate(settings)}).to_numpy(np.float64)
    at = place + 0.5 * ((rank + 0.5) / most - 0.5)
    accuracy: list[AnyMark] = [
        Points(
            data.rows["accuracy"].to_numpy(np.float64), at, name="accuracy", color=COLORS[0], size=9,
            detail=data.rows["variant"].to_numpy(), hover="{detail}<br>{x:.3f}",
        )
    ]  # fmt: skip
    drops: list[AnyMark] = [
        Points(
            data.rows[f"drop_without_{x}"].to_numpy(np.float64), at, name=name, color=color, symbol=symbol,
            size=9, hollow=True, detail=data.rows["variant"].to_numpy(), hover="{detail}<br>{x:.3f}",
        )
        for (x, name), color, symbol in zip(_DROPS.items(), COLORS[1:], SYMBOLS[1:], strict=False)
    ]  # fmt: skip
    rows = Axis("layers × heads, initial std", names=tuple(settings), range=(-0.6, len(settings) - 0.4))
    return Chart(
        "Outcomes by depth, heads and initialization",
        (
            Panel(accuracy, x=Axis("final accuracy", range=(-0.03, 1.03), form=".3f"), y=rows),
            Panel(
                drops, x=Axis("accuracy lost by ablation", range=(-0.1, 1.03), form=".3f"), y=rows, column=1
            ),
        ),
        subtitle=sentences(
            "a point per seed",
            f"not analyzed yet: {', '.join(data.left_out)}" if data.left_out else "",
        ),
        widths=(1, 1),
        gaps=(0.03, 0.06),
        share_y=True,
        unified=False,
    )


def table(data: Data) -> pd.DataFrame:
    """Columns variant, setting (layers × heads, initial standard deviation), accuracy, drop_without_q,
    drop_without_k, drop_without_v (0 to 1).
    """
    return data.rows


PLOT = Plot(
    name="outcomes",
    title="Outcomes by depth, heads and initialization",
    description="""\
Final accuracy of every variant, and how much of it is lost when the later layers' queries, keys or values no
longer see what earlier heads wrote (replaced by its mean). A row per depth, number of heads
and standard deviation of the initial weights; a point per seed.

**How to read it.** The published claim is that one layer with one head stays near 1/2, and one layer with two
heads or two layers reach 1. Where the rows of one depth and number of heads differ, it depends on the size of
the initialization. One layer has no composition, so nothing can be lost.
""",
    code_version="2",
    scope="comparison",
    load=load,
    chart=chart,
    table=table,
    needs=("summaries/composition",),
)
