"""What of a variant is out of date, as JSON: the first page asks for it after it is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import StoreError
from tdw.inventory.cells import find_gaps
from tdw.inventory.products import stored_kind
from tdw.inventory.records import HeaderRecords
from tdw.inventory.versions import DataVersion
from tdw_workbench.web.data.coverage import wanted_of
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import parameters as params


def outdated(request: Request) -> Response:
    """How many scheduled checkpoints and analyzer outputs of a variant are not what they would be by now.

    Counted as `tdw status` counts them, from the header of every file in place of the event log. So it is
    asked for after the page is there.
    """
    library: StoreCache = request.app.state.library
    params.require_known(request, ())
    family = params.family_of(request)
    variant = params.variant_of(request, library.store, family)
    wanted = wanted_of(library, family, variant)
    records = _KeptHeaders(wanted, library.store, library)
    cells = find_gaps(wanted, records, library, [variant])[variant].cells
    counts = {stored_kind(name): len(of.out_of_date) for name, of in cells.items() if of.out_of_date}
    return JSONResponse({"out_of_date": counts}, headers={"Cache-Control": "no-cache"})


@dataclass(frozen=True)
class _KeptHeaders(HeaderRecords):
    """Each header is read once, until a file of its kind comes or goes."""

    library: StoreCache

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        return {variant: self._kept(name, variant) for variant in epochs}

    def _kept(self, name: str, variant: str) -> Mapping[int, DataVersion]:
        family, kind = self.wanted.family.name, stored_kind(name)

        def read() -> Mapping[int, DataVersion]:
            try:
                return dict(self._read(name, variant, self.store.epochs(family, variant, kind)))
            except StoreError:  # one can't be read here: nothing is said of the kind
                return {}

        return self.library.by_folders(family, variant, [kind], read)
