"""What a dashboard is: panels in an order, each with a size, and what it may show."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tdw.errors import BadConfig, listed
from tdw.families import Family, all_families, get_family
from tdw.families.stored import is_variant
from tdw.store.layout import compared_study, is_name
from tdw_workbench.web.dashboards.known import known

Kind = Literal["figure", "maps", "table", "section", "note"]
MOST_PANELS = 60
COLUMNS = 12

_Name = Annotated[str, Field(max_length=128)]
_Epoch = Annotated[int, Field(ge=0, le=99_999_999)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Panel(_Strict):
    """One panel.

    Attributes:
        kind: a figure, maps of the explorer, a table, a section of a report, or a note.
        name: of the plot, the view of the explorer, the table or the report; "" for a note.
        where: of what covers several variants, the folder of their study; "" for the family's first study.
        part: of a report, the section's anchor; of maps, their indices, such as "3,17".
        text: of a note, Markdown.
        variant: the variant that is pinned to it; None for the one that is chosen for all panels.
        epoch: the epoch that is pinned to it; None for that of the slider.
        width: columns of twelve.
        height: rows of 40 pixels.
    """

    kind: Kind
    name: _Name = ""
    where: _Name = ""
    part: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=20_000)] = ""
    variant: _Name | None = None
    epoch: _Epoch | None = None
    width: Annotated[int, Field(ge=2, le=COLUMNS)] = 4
    height: Annotated[int, Field(ge=2, le=40)] = 8


class Dashboard(_Strict):
    """Panels over one family.

    Attributes:
        variants: that the selector offers; () for all of the family that are stored.
        panels: in their order, row by row.
    """

    family: _Name
    title: Annotated[str, Field(min_length=1, max_length=120)]
    variants: Annotated[tuple[_Name, ...], Field(max_length=500)] = ()
    panels: Annotated[tuple[Panel, ...], Field(max_length=MOST_PANELS)] = ()


def parse_dashboard(text: str | bytes) -> Dashboard:
    """A dashboard from JSON. Raises BadConfig, which names every value that can't be used."""
    try:
        return Dashboard.model_validate_json(text)
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise BadConfig(f"this is no dashboard: {listed(wrong)}", "correct what is named") from error


def require_known(dashboard: Dashboard) -> None:
    """Refuse to save what can never be shown. Raises BadConfig, which names the panel and what there is."""
    known = [family.name for family in all_families()]
    if dashboard.family not in known:
        raise BadConfig(f"there is no family {dashboard.family!r}", f"known: {', '.join(known)}")
    family = get_family(dashboard.family)
    keys = {*dashboard.variants, *(panel.variant for panel in dashboard.panels if panel.variant is not None)}
    wrong = sorted(key for key in keys if not is_variant(family, key))
    if wrong:
        raise BadConfig(f"{', '.join(wrong)}: no variant of {family.name}", "choose variants of the family")
    for place, panel in enumerate(dashboard.panels, 1):
        _require_panel(family, panel, f"panel {place}")


def _require_panel(family: Family, panel: Panel, called: str) -> None:
    names = known(family).get(panel.kind, {})
    if panel.kind != "note" and panel.name not in names:
        raise BadConfig(
            f"{called}: there is no {panel.kind} {panel.name!r} of {family.name}",
            f"choose one of: {', '.join(names) or 'none'}",
        )
    if panel.where and not (is_name(panel.where) and compared_study(panel.where) is not None):
        raise BadConfig(
            f"{called}: {panel.where!r} is not the folder of a study", 'leave it "" or correct it'
        )
    if panel.kind == "maps" and not all(index.isdecimal() for index in panel.part.split(",") if panel.part):
        raise BadConfig(f"{called}: maps {panel.part!r}", 'give indices such as "3,17"')
