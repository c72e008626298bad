"""Pages and files of plots. They were made when their asset was materialized; here they are handed out."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from tdw.drawing.offline_page import html_page
from tdw.drawing.style import CONFIG, figure_json
from tdw.errors import NotFound
from tdw.families import get_family
from tdw.making.figures import variant_figure
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot
from tdw.store.document_files import MANIFEST, StoredDocument
from tdw.store.layout import TableAddress, compared_study
from tdw.study import Study
from tdw.training.records import HISTORY
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.coverage import coverages, wanted_of
from tdw_workbench.web.data.so_far import is_of_history
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.static_files import plotly_js
from tdw_workbench.web.http.templates import environment, markdown, render

FIGURE, PREVIEW, DATA, OFFLINE = "figure.json", "preview.png", "data.csv", "figure.html"
_TYPES = {FIGURE: "application/json", DATA: "text/csv", OFFLINE: "text/html"}
# `v` names a version that an event recorded, for caches of the browser; the others say what is shown.
_KNOWN = ("v", "theme", "e", "n", "top", "saved")


@dataclass(frozen=True)
class Asked:
    """The plot that a request names.

    Attributes:
        where: the variant's key, or the folder of what covers several.
    """

    library: StoreCache
    family: str
    where: str
    name: str

    @property
    def variant(self) -> str | None:
        """The variant's key; None for a plot over several."""
        return self.where if compared_study(self.where) is None else None

    @property
    def study(self) -> Study | None:
        """In which its asset is looked for."""
        return self.library.study_at(self.family, self.where)

    @property
    def about(self) -> str:
        """The variant, or the study whose variants are compared."""
        return self.variant or compared_study(self.where) or "comparison"

    @property
    def plot(self) -> Plot:
        """Its declaration."""
        scope = "variant" if self.variant else "comparison"
        return catalog_of(get_family(self.family)).plot(self.name, scope=scope)

    @property
    def path(self) -> str:
        """Its address below /tdw/plot and /tdw/view/plot."""
        return f"{self.family}/{self.where}/{self.name}"

    @property
    def file_stem(self) -> str:
        """A name for downloads."""
        return f"{self.name}_{self.about}"

    @property
    def place(self) -> str:
        """What `/api/now` calls the variant."""
        return f"{self.family}/{self.where}"

    @property
    def is_live(self) -> bool:
        """Whether it can be drawn while the variant trains."""
        return self.variant is not None and is_of_history(self.plot.needs)

    @property
    def has_every_epoch(self) -> bool:
        """Whether its page can show maps at every epoch: it is of that kind, and there are some."""
        if self.variant is None or self.plot.every is None:
            return False
        known = catalog_of(get_family(self.family)).analyzer_names
        return all(self.library.epochs(self.family, self.where, n) for n in self.plot.needs if n in known)

    @property
    def is_made(self) -> bool:
        """Whether it was committed."""
        folder = self.library.store.document_folder(self.family, self.where, self.name)
        return stamp(folder / MANIFEST) is not None

    @property
    def is_kept(self) -> bool:
        """Whether a training of the variant has ended, so that there is a history."""
        return self.library.exists(TableAddress(self.family, self.where, HISTORY))

    def bundle(self) -> StoredDocument:
        """The latest committed files. Raises NotFound or CorruptFile."""
        return self.library.store.read_document(self.family, self.where, self.name)


def asked(request: Request) -> Asked:
    """The plot in the path. Raises NotFound or BadConfig for a name that is none."""
    library: StoreCache = request.app.state.library
    params.require_known(request, _KNOWN)
    family = params.family_of(request)
    where = params.place_of(request, library, family)
    scope = "variant" if compared_study(where) is None else "comparison"
    known = [plot.name for plot in catalog_of(get_family(family)).plots if plot.scope == scope]
    return Asked(library, family, where, params.one_of(request.path_params["name"], known, what="plot"))


def page(request: Request) -> Response:
    """The interactive figure with its title, how to read it, what is missing, and downloads."""
    this = asked(request)
    try:
        bundle = this.bundle()
    except NotFound:
        bundle = None
    dagster_url = this.library.settings.dagster_url
    return render(
        request,
        "plot.html",
        this=this,
        bundle=bundle,
        version=bundle.folder.name if bundle else "",
        # Every epoch, unless the saved figure is asked for.
        maps=this.has_every_epoch and "saved" not in request.query_params,
        description=markdown(this.plot.description),
        gaps=_gaps(this),
        off=markdown(f"{off[0]}.") if (off := _switched_off(this)) else "",
        explorer=get_family(this.family).explorer,
        config=json.dumps(dict(CONFIG)),
        asset=links.asset_page(dagster_url, this.study, ("plots", this.name), partition=this.variant),
    )


def preview(request: Request) -> Response:
    """The small picture, always of the latest version; a placeholder where there is none yet."""
    this = asked(request)
    try:
        bundle = this.bundle()
    except NotFound:
        placeholder = environment().get_template("placeholder.svg").render(title=this.plot.title)
        return Response(placeholder, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})
    etag = etag_of([bundle.files[PREVIEW][1]])
    return conditional(request, etag, lambda: bundle.read(PREVIEW), media_type="image/png")


def file(request: Request) -> Response:
    """The figure as JSON, its data as CSV, or all of it as one HTML file that works offline."""
    this = asked(request)
    name = params.one_of(request.path_params["file"], list(_TYPES), what="file of a plot")
    if not this.is_made and (off := _switched_off(this)):
        raise NotFound(f"{this.name} of {this.about} is not made", off[0])
    bundle = this.bundle()
    headers = {}
    if name != FIGURE:
        suffix = name.rpartition(".")[2]
        headers = {"Content-Disposition": f'attachment; filename="{this.file_stem}.{suffix}"'}
    if name == OFFLINE:
        etag = etag_of([OFFLINE, bundle.files[FIGURE][1], plotly_js().stat().st_size])
        make = lambda: html_page(this.plot.title, bundle.read(FIGURE).decode()).encode()  # noqa: E731
    else:
        etag = etag_of([bundle.files[name][1]])
        make = lambda: bundle.read(name)  # noqa: E731
    return conditional(request, etag, make, media_type=_TYPES[name], headers=headers)


def so_far(request: Request) -> Response:
    """The figure of a training that goes on, and how far that is; when it has ended, whether one is there.

    Until there is one, the figure of the history is told, if that was kept.
    """
    this = asked(request)
    if this.variant is None or not this.is_live:
        raise NotFound(f"{this.name} is not drawn while a variant trains", "look at its stored figure")
    data = request.app.state.so_far.get(this.library, this.family, this.variant, this.name)
    if data is None:
        return Response(
            _ended(this, this.variant), media_type="application/json", headers={"Cache-Control": "no-store"}
        )
    return conditional(request, etag_of([data]), lambda: data, media_type="application/json")


def _ended(this: Asked, variant: str) -> str:
    figure = "null"
    if not this.is_made:
        with suppress(NotFound):  # no training has ended
            figure = figure_json(
                variant_figure(this.library.store, get_family(this.family), variant, this.name)
            )
    return f'{{"running": null, "stored": {json.dumps(this.is_made)}, "figure": {figure}}}'


def _gaps(this: Asked) -> list[str]:
    """What is missing of what the plot is made from, a line per kind."""
    if this.variant is None:
        return []
    below = catalog_of(get_family(this.family)).analyzers_of(this.plot)
    found = coverages(this.library, this.family, this.variant, kinds=below)
    return [each.note for each in found.values() if each.note]


def _switched_off(this: Asked) -> list[str]:
    """What the variant's studies have not turned on, and how they do, a line per analyzer."""
    if this.variant is None:
        return []
    wanted = wanted_of(this.library, this.family, this.variant).analyzers
    off = catalog_of(get_family(this.family)).switched_off(this.plot, wanted)
    return [analyzer.price for analyzer in off]
