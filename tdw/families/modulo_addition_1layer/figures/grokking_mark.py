"""When a variant grokked, as figures mark it: an epoch, or *no grok* and censored, never a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.drawing.style import MUTED

if TYPE_CHECKING:
    from tdw.recipes.reader import VariantReader


@dataclass(frozen=True)
class Grokking:
    """What the grokking summary says.

    Attributes:
        known: False where there is no such summary yet.
        epoch: of grokking, None for *no grok*.
        censored_at: last epoch looked at, where it did not grok.
    """

    known: bool = False
    epoch: int | None = None
    censored_at: int | None = None

    @property
    def text(self) -> str:
        """'groks at epoch 10,400', 'no grok by epoch 25,000 (censored)', or '' when it is not known."""
        if not self.known:
            return ""
        if self.epoch is not None:
            return f"groks at epoch {self.epoch:,}"
        return "no grok" + (
            f" by epoch {self.censored_at:,} (censored)" if self.censored_at is not None else ""
        )


def load(reader: VariantReader) -> Grokking:
    """The variant's grokking epoch, from its summary."""
    table = reader.optional_summary("grokking")
    if table is None or table.empty:
        return Grokking()
    row = table.iloc[0]
    return Grokking(True, _whole(row.get("grokking_epoch")), _whole(row.get("censored_at")))


def marks(grokking: Grokking, *, xref: str = "x", over_map: bool = False) -> dict[str, list[dict[str, Any]]]:
    """`shapes` and `annotations` of a figure's layout: a line at the grokking epoch, or nothing.

    Args:
        grokking: what is known.
        xref: the axis of epochs.
        over_map: draw the line above a heatmap, in white, and its label outside.
    """
    if grokking.epoch is None:
        return {"shapes": [], "annotations": []}
    color = "#ffffff" if over_map else MUTED
    shape = {
        "type": "line",
        "x0": grokking.epoch,
        "x1": grokking.epoch,
        "xref": xref,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "layer": "above" if over_map else "below",
        "line": {"color": color, "width": 1.5, "dash": "dash"},
    }
    note = {
        "text": f"groks: {grokking.epoch:,}",
        "x": grokking.epoch,
        "xref": xref,
        "y": 1,
        "yref": "paper",
        "xanchor": "center" if over_map else "left",
        "yanchor": "bottom" if over_map else "top",
        "showarrow": False,
        "xshift": 0 if over_map else 4,
        "font": {"size": 12},
    }
    return {"shapes": [shape], "annotations": [note]}


def _whole(value: Any) -> int | None:
    import pandas as pd

    return None if value is None or pd.isna(value) else int(value)
