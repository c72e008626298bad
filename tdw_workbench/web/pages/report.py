"""Pages of reports: self-contained HTML that was written when its asset was materialized."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tdw.reports.document import PAGE
from tdw.reports.registry import REPORTS, ReportAsset
from tdw.store import Store
from tdw.store.document_files import MANIFEST
from tdw.store.layout import COMPARISON
from tdw_workbench.web.data.store_cache import Library
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of

NAMES = tuple(report.name for report in REPORTS)
# Pictures and style lie in the page itself, and nothing in it runs.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"


def written(store: Store, family: str, folder: str) -> list[ReportAsset]:
    """The reports that were written into a folder."""
    return [
        report for report in REPORTS if (store.plot_folder(family, folder, report.name) / MANIFEST).exists()
    ]


def page(request: Request) -> Response:
    """The report as it was written last. Raises NotFound where there is none yet."""
    library: Library = request.app.state.library
    params.require_known(request, ("v",))
    family = params.family_of(request)
    name = params.one_of(request.path_params["name"], NAMES, what="report")
    # Links in events of earlier versions name no folder: there was one for all studies.
    folder = request.path_params.get("folder", COMPARISON)
    known = library.comparison_folders(family)
    bundle = library.store.read_plot(family, params.one_of(folder, known, what="comparison"), name)
    etag = etag_of([bundle.files[PAGE][1]])
    headers = {"Content-Security-Policy": _POLICY}
    return conditional(request, etag, lambda: bundle.read(PAGE), media_type="text/html", headers=headers)
