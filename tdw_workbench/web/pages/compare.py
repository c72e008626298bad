"""Variants that a person chose, side by side: the page, and its figures and tables as files.

The address names the selection: `v` lists keys, joined by commas; each further `v` is a side of its own. With
one `v`, `by` names the fields that its variants are grouped by. Nothing is stored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.drawing.offline_page import html_page
from tdw.drawing.style import CONFIG, figure_json
from tdw.errors import BadConfig, NotFound
from tdw.families import Family, get_family
from tdw.families.stored import stored_variants
from tdw.markdown import show
from tdw.reports.chosen import Chosen
from tdw.reports.document import PAGE
from tdw.store.layout import validate_name
from tdw_workbench.web.data.selections import MOST, Selections, state_of
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import markdown, render
from tdw_workbench.web.pages.report import POLICY

if TYPE_CHECKING:
    import pandas as pd

FIGURE, DATA, OFFLINE = "figure.json", "data.csv", "figure.html"
COMPARISON, ASSOCIATIONS, NUMBERS, REPORT, PARTS = (
    "comparison.csv", "associations.csv", "numbers.csv", "report.html", "parts.html",
)  # fmt: skip
_TYPES = {FIGURE: "application/json", DATA: "text/csv", OFFLINE: "text/html"}
_MOST_SIDES = 12
"""Columns that can be read beside each other."""
_MOST_FIELDS = 8


@dataclass(frozen=True)
class Asked:
    """The selection that a request names."""

    library: StoreCache
    selections: Selections
    family: Family
    sides: tuple[tuple[str, ...], ...]
    by: tuple[str, ...]

    @property
    def keys(self) -> list[str]:
        """Of all variants."""
        return [key for side in self.sides for key in side]

    @property
    def query(self) -> str:
        """That of its address."""
        return query_of(self.sides, self.by)

    @property
    def chosen(self) -> Chosen:
        """The selection, with what is stored now."""
        return self.selections.get(self.library, self.family, self.sides, self.by)

    def etag(self, *more: object) -> str:
        """Of an answer about this selection."""
        return etag_of([self.query, *state_of(self.library, self.family, self.sides), *more])


def query_of(sides: Sequence[Sequence[str]], by: Sequence[str] = ()) -> str:
    """The query of the address of a selection."""
    parts = [f"v={quote(','.join(side), safe=',')}" for side in sides]
    return "&".join([*parts, *([f"by={quote(','.join(by), safe=',')}"] if by else [])])


def asked(request: Request) -> Asked:
    """The selection in the query.

    Raises:
        NotFound: no such variant is stored or in a study.
        BadConfig: none is named, or more than a page can show.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ("v", "by", "theme"))
    family = get_family(params.family_of(request))
    sides = [
        [validate_name(key, what="variant") for key in text.split(",")]
        for text in request.query_params.getlist("v")
    ]
    keys = {key for side in sides for key in side}
    if not 1 <= len(keys) <= MOST:
        raise BadConfig(f"{len(keys)} variants are named", f"name 1 to {MOST}, such as v=KEY,KEY")
    studies = [study for study in library.studies if study.family == family.name]
    known = {key for study in studies for key in library.known_variants(study)}
    if not keys <= known:
        known |= {*stored_variants(library.store, family)}
    for key in keys:
        params.one_of(key, known, what="variant")
    by = [name for name in request.query_params.get("by", "").split(",") if name]
    return Asked(library, request.app.state.selections, family, tuple(map(tuple, sides)), tuple(by))


def page(request: Request) -> Response:
    """What differs, at once; what came out, figures and tables are asked for by the page's script."""
    this = asked(request)
    chosen = this.chosen
    every = {field.name for field in this.family.fields} - {*chosen.alike}
    single = len(this.sides) == 1
    return render(
        request,
        "compare.html",
        this=this,
        chosen=chosen,
        settings=list(chosen.settings.iterrows()),
        many=len(chosen.sides) > _MOST_SIDES,
        most=_MOST_SIDES,
        ways=[(name, _toggled(this, name), name in this.by) for name in sorted(every)] if single else [],
        apart=query_of([this.keys]),
        without=[query_of(_without(this, side.keys), this.by) for side in chosen.sides],
        plots=[(plot, markdown(plot.description)) for plot in chosen.plots],
        config=json.dumps(dict(CONFIG)),
    )


def _toggled(this: Asked, name: str) -> str:
    """The selection grouped by one more field, or by one less."""
    by = [each for each in this.by if each != name] if name in this.by else [*this.by, name]
    return query_of(this.sides, by)


def _without(this: Asked, keys: Sequence[str]) -> list[list[str]]:
    """The sides without some variants."""
    left = [[key for key in side if key not in keys] for side in this.sides]
    return [side for side in left if side]


def file(request: Request) -> Response:
    """A table of the selection as CSV, the report of two sides, or the parts of the page that need tables."""
    this = asked(request)
    name = request.path_params["file"]
    params.one_of(name, (COMPARISON, ASSOCIATIONS, NUMBERS, REPORT, PARTS), what="file of a comparison")
    if name == PARTS:
        return parts(request, this)
    if name == REPORT:
        make = lambda: this.chosen.report().files[PAGE]  # noqa: E731
        headers = {"Content-Security-Policy": POLICY}
        return conditional(request, this.etag(name), make, media_type="text/html", headers=headers)

    def table() -> bytes:
        if name == NUMBERS:
            found = this.chosen.numbers
        elif name == COMPARISON:
            found = this.chosen.table
        else:
            found = _associations(this.chosen)
        return found.to_csv(index=False, lineterminator="\n").encode()

    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return conditional(request, this.etag(name), table, media_type="text/csv", headers=headers)


def _associations(chosen: Chosen) -> pd.DataFrame:
    found = chosen.associations
    if found is None:
        raise BadConfig(f"family {chosen.family.name} has no associations", "look at the comparison table")
    return found


def parts(request: Request, this: Asked) -> Response:
    """What came out, and the comparison table, as HTML to be put into the page."""
    chosen = this.chosen
    associations, numbers = chosen.associations, chosen.numbers
    return render(
        request,
        "compare_parts.html",
        this=this,
        chosen=chosen,
        columns=[side.name for side in chosen.sides],
        outcomes=_cells(chosen, numbers) if len(chosen.sides) <= _MOST_SIDES else [],
        tested=bool(numbers["p_value"].notna().any()),
        table=_rows(chosen.table),
        associations=None if associations is None else _rows(associations),
    )


def _cells(chosen: Chosen, numbers: pd.DataFrame) -> list[tuple[str, list[str], str]]:
    """Of each quantity its label, a cell per side, and the p-value of the test."""
    none = chosen.family.outcome.none if chosen.family.outcome else ""
    found: list[tuple[str, list[str], str]] = []
    for label, rows in numbers.groupby("label", sort=False):
        if not (rows["n"] + rows["none"]).any():
            continue
        cells = [_cell(row, none) for row in rows.to_dict("records")]
        p = float(rows["p_value"].iloc[0])
        found.append((str(label), cells, "not tested" if math.isnan(p) else f"p = {show(p)}"))
    return found


def _cell(row: Mapping[Any, Any], none: str) -> str:
    n, late = int(row["n"]), int(row["none"])
    if n + late <= 1:
        return none if late else show(row["mean"]) if n else "not known"
    spread = f"{show(row['mean'])} ({show(row['low'])} to {show(row['high'])}; n = {n})" if n else ""
    return ", ".join(part for part in (spread, f"{late} {none}" if late else "") if part)


def _rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """A table for people."""
    import pandas as pd

    def text(value: object) -> str:
        if isinstance(value, str):
            return value
        return "" if pd.isna(value) else show(value)  # type: ignore[arg-type, call-overload]

    rows = [[text(value) for value in row] for row in table.astype(object).to_numpy().tolist()]
    return list(map(str, table.columns)), rows


def figure(request: Request) -> Response:
    """A figure over the selection: as JSON, its data as CSV, or as one HTML file that works offline."""
    this = asked(request)
    name = request.path_params["name"]
    chosen = this.chosen
    plots = {plot.name: plot for plot in chosen.plots}
    plot = plots[params.one_of(name, list(plots), what="figure")]
    of = params.one_of(request.path_params["file"], list(_TYPES), what="file of a figure")
    etag = this.etag(name, of)

    def make() -> bytes:
        drawn = chosen.draw(name)
        if of == DATA:
            return drawn.table.to_csv(index=False, lineterminator="\n").encode()
        drawn_json = figure_json(drawn.figure)
        return (html_page(plot.title, drawn_json) if of == OFFLINE else drawn_json).encode()

    headers = {}
    if of != FIGURE:
        headers["Content-Disposition"] = f'attachment; filename="{name}_chosen.{of.rpartition(".")[2]}"'
    kept = make if of == OFFLINE else lambda: this.library.answers.get(etag, make)
    try:
        return conditional(request, etag, kept, media_type=_TYPES[of], headers=headers)
    except NotFound as absent:
        if of != FIGURE:
            raise
        # Nothing is wrong with the page: these variants have no such figure, and it says why.
        return JSONResponse(
            {"absent": f"{absent.what}: {absent.remedy}"}, headers={"Cache-Control": "no-store"}
        )
