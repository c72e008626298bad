"""The printed figures of reports: those that every family has, and the family's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdw.drawing.printed import GRAY, over_epochs, to_svg
from tdw.recipes.evidence import HISTORY, Evidence
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture


def _test_loss(figure: Any, evidence: Evidence) -> None:
    series = evidence.series(HISTORY, "test_loss")
    axis = over_epochs(figure, series, dots=evidence.outcomes, title="test loss (nats)", log=True)
    if axis.lines:
        axis.axhline(0.01, color=GRAY, linewidth=0.8)


COMMON: Mapping[str, Picture] = {
    "test_loss": Picture("Test loss; dots mark the grokking epoch, the gray line its threshold.", _test_loss)
}


def pictures_of(family: Family) -> dict[str, Picture]:
    """Every printed figure of a family by name."""
    return {**COMMON, **family.pictures}


def draw(picture: Picture, evidence: Evidence) -> bytes:
    """One figure as SVG, 7 inches wide."""
    return to_svg(lambda figure: picture.draw(figure, evidence), height=picture.height)
