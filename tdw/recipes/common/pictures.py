"""The printed figures of reports."""

from __future__ import annotations

from tdw.drawing.printed import to_svg
from tdw.recipes.evidence import Evidence
from tdw.recipes.family import Family
from tdw.recipes.measures import Picture


def pictures_of(family: Family) -> dict[str, Picture]:
    """Every printed figure of a family by name."""
    return dict(family.pictures)


def draw(picture: Picture, evidence: Evidence) -> bytes:
    """One figure as SVG, 7 inches wide."""
    return to_svg(lambda figure: picture.draw(figure, evidence), height=picture.height)
