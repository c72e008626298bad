"""What of a variant is out of date, as JSON: the first page asks for it after it is shown."""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import TdwError
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.store import Address
from tdw_workbench.web.data.coverage import wanted_of
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params


def outdated(request: Request) -> Response:
    """How many analyzer outputs of a variant were made by other code or parameters than the study's, as JSON.

    Read from the header of every file, so it is asked for after the page is there.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    family = params.family_of(request)
    variant = params.variant_of(request, library.store, family)
    counts = {}
    for kind, expected in wanted_of(library, family, variant).analyzer_specs.items():
        made = _specs(library, family, variant, kind)
        stale = sum(count for spec, count in made.items() if spec != expected)
        if stale:
            counts[kind] = stale
    return JSONResponse({"out_of_date": counts}, headers={"Cache-Control": "no-cache"})


def _specs(library: StoreCache, family: str, variant: str, kind: str) -> Counter[str]:
    """By what the files of a kind were computed: spec version -> how many; "" for unreadable ones."""

    def read() -> Counter[str]:
        return Counter(spec(epoch) for epoch in library.store.epochs(family, variant, kind))

    def spec(epoch: int) -> str:
        try:
            return recorded_spec_version(library.store.provenance(Address(family, variant, kind, epoch)))
        except TdwError:
            return ""

    return library.by_folder(family, variant, kind, read)
