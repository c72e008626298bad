"""Pages of reports: self-contained HTML that was written when its asset was materialized."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tdw.drawing.pdf import to_pdf
from tdw.reports.document import PAGE
from tdw.reports.registry import REPORTS, ReportAsset
from tdw.store import Store
from tdw.store.document_files import MANIFEST
from tdw.store.layout import COMPARISON
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import environment

NAMES = tuple(report.name for report in REPORTS)
# Pictures and style are in the page itself, and nothing in it runs.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'"


def written(store: Store, family: str, folder: str) -> list[ReportAsset]:
    """The reports that were written into a folder."""
    return [
        report
        for report in REPORTS
        if (store.document_folder(family, folder, report.name) / MANIFEST).exists()
    ]


def page(request: Request) -> Response:
    """The report as it was written last, below a way back. Raises NotFound where there is none yet."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ("v",))
    family, folder, name = _asked(request)
    bundle = library.store.read_document(family, folder, name)
    study = library.study_at(family, folder)
    asset = links.asset_page(library.settings.dagster_url, study, ("reports", name))
    root = request.scope.get("root_path", "")
    pdf = f"{root}/report/{family}/{folder}/{name}.pdf"
    bar = environment().get_template("way_back.html").render(root=root, asset=asset, pdf=pdf).encode()

    def make() -> bytes:
        # The file itself works offline, where there is no other page to lead to.
        return bundle.read(PAGE).replace(b"<body>", b"<body>\n" + bar, 1)

    headers = {"Content-Security-Policy": POLICY}
    etag = etag_of([bundle.files[PAGE][1], bar])
    return conditional(request, etag, make, media_type="text/html", headers=headers)


def pdf(request: Request) -> Response:
    """The same as PDF, as a download. Raises NotFound, and NoBrowser where none can print it."""
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    family, folder, name = _asked(request)
    bundle = library.store.read_document(family, folder, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    etag = etag_of([bundle.files[PAGE][1], "pdf"])
    return conditional(
        request,
        etag,
        lambda: to_pdf(bundle.read(PAGE)),
        media_type="application/pdf",
        headers=headers,
    )


def _asked(request: Request) -> tuple[str, str, str]:
    """Family, folder and name of the report that an address names. Raises NotFound."""
    library: StoreCache = request.app.state.library
    family = params.family_of(request)
    name = params.one_of(request.path_params["name"], NAMES, what="report")
    # Links in events of earlier versions name no folder: there was one for all studies.
    known = library.comparison_folders(family)
    folder = params.one_of(request.path_params.get("folder", COMPARISON), known, what="comparison")
    return family, folder, name
