"""The explorer that a family brings: its page, what there is to look at, and the slices that it asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.families import Family, get_family
from tdw.families.stored import stored_variants
from tdw.recipes.consistency.invariant import require_one_model
from tdw.recipes.explorer import Explorer, SliceRecipe
from tdw.recipes.reading.slices import SliceQuery
from tdw.store import Address
from tdw.store.formats.tensorfile import Header
from tdw.store.layout import CHECKPOINTS
from tdw_workbench.web.data.coverage import coverages
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import render_of_family

PAGE = "page.html"
_AT = "at"


@dataclass(frozen=True)
class Asked:
    """The variant that a request names, and its family's explorer."""

    library: StoreCache
    family: Family
    explorer: Explorer
    variant: str

    def series(self, analyzer: str) -> list[Address]:
        """Every artifact of an analyzer, by epoch."""
        epochs = self.library.epochs(self.family.name, self.variant, analyzer)
        return [Address(self.family.name, self.variant, analyzer, epoch) for epoch in epochs]

    def hold(self, analyzers: Sequence[str]) -> None:
        """Hold the invariant within and between analyzers. Raises FingerprintMismatch."""
        require_one_model(
            [header.provenance for header in self._headers(each).values()] for each in analyzers
        )

    def on_demand(self, analyzer: str) -> list[int]:
        """Epochs at which an analyzer's arrays are computed when asked for, ascending."""
        return [epoch for epoch, header in self._headers(analyzer).items() if header.on_demand]

    def _headers(self, analyzer: str) -> dict[int, Header]:
        """The headers of its files, once for the same files; an unreadable one is left to who reads it."""

        def read() -> dict[int, Header]:
            found: dict[int, Header] = {}
            for address in self.series(analyzer):
                with contextlib.suppress(CorruptFile, NotFound, Unreadable):
                    found[address.epoch] = self.library.store.header(address)
            return found

        return self.library.by_folders(self.family.name, self.variant, [analyzer], read)


def asked(request: Request) -> Asked:
    """The variant in the path. Raises NotFound or BadConfig for a name that is none."""
    library: StoreCache = request.app.state.library
    family = get_family(params.family_of(request))
    variant = params.variant_of(request, library.store, family.name)
    if family.explorer is None:
        raise NotFound(f"family {family.name} has no explorer", "look at its plots, on the first page")
    return Asked(library, family, family.explorer, variant)


def page(request: Request) -> Response:
    """The explorer. What is looked at is in the query, which the page's script reads and checks."""
    this = asked(request)
    template = (this.explorer.folder / PAGE).read_text()
    return render_of_family(
        request,
        this.family.name,
        template,
        variant=this.variant,
        variants=_looked_at(this),
        explorer=this.explorer,
    )


def _looked_at(this: Asked) -> list[str]:
    """The variants of the family of which there is something to look at, with the one that is asked for."""
    library, name = this.library, this.family.name
    return [
        key
        for key in stored_variants(library.store, this.family)
        if key == this.variant or any(library.epochs(name, key, kind) for kind in this.explorer.analyzers)
    ]


def describe(request: Request) -> Response:
    """What there is to look at, as JSON: lengths, epochs by analyzer, what is missing."""
    this = asked(request)
    params.require_known(request, ())
    analyzers = this.explorer.analyzers
    this.hold(analyzers)
    have = {name: [address.epoch for address in this.series(name)] for name in analyzers}
    present = {epoch for epochs in have.values() for epoch in epochs}
    present |= {*this.library.epochs(this.family.name, this.variant, CHECKPOINTS)}
    scheduled = this.library.scheduled(this.family.name, this.variant)
    last = max(present, default=0)
    gaps = coverages(this.library, this.family.name, this.variant, kinds=analyzers)
    dagster = this.library.settings.dagster_url
    study = this.library.study_of(this.family.name, this.variant)
    return JSONResponse(
        {
            "family": this.family.name,
            "variant": this.variant,
            "lengths": _lengths(this),
            "epochs": sorted(present | {epoch for epoch in scheduled if epoch <= last}),
            "have": have,
            "on_demand": {name: this.on_demand(name) for name in analyzers},
            "kinds": len(gaps),
            "marks": dict(this.explorer.marks(this.library.store, this.variant)),
            "gaps": [each.note for each in gaps.values() if each.note],
            "assets": {name: links.asset_page(dagster, study, (name,)) for name in analyzers},
        },
        headers={"Cache-Control": "no-cache"},
    )


def slice_of(request: Request) -> Response:
    """A slice that the family declares, unless the browser has it."""
    this = asked(request)
    name = params.one_of(request.path_params["slice"], list(this.explorer.slices), what="slice")
    recipe = this.explorer.slices[name]
    query = _query(request, this, recipe)
    files = [address for series in query.series.values() for address in series]
    etag = etag_of([request.url.path, request.url.query, *this.library.stamps(files)])

    def make() -> bytes:
        if not recipe.one_epoch:
            this.hold(recipe.needs)
        return recipe.read(query).encode()

    build = (lambda: this.library.answers.get(etag, make)) if recipe.kept else make
    return conditional(request, etag, build, media_type="application/octet-stream")


def _query(request: Request, this: Asked, recipe: SliceRecipe) -> SliceQuery:
    """What is asked for, checked. Raises BadConfig or NotFound."""
    params.require_known(request, (*recipe.indices, *recipe.numbers, *([_AT] if recipe.by_epoch else [])))
    series: dict[str, Sequence[Address]] = {name: this.series(name) for name in recipe.needs}
    if not any(series.values()):
        raise NotFound(
            f"{this.variant} has no {' or '.join(recipe.needs)} yet",
            "materialize some epochs of it in Dagster, or run `tdw fill`",
        )
    epoch = request.path_params.get("epoch")
    if (epoch is not None) != recipe.one_epoch:
        where = "the epoch follows the variant" if recipe.one_epoch else "it has no epoch"
        raise NotFound("no such slice", f"correct the address: {where}")
    if epoch is not None:
        series = {name: _at(epoch, name, addresses) for name, addresses in series.items()}
    elif _AT in request.query_params:
        at = request.query_params[_AT]
        series = {name: _at(at, name, addresses) for name, addresses in series.items()}
    elif recipe.by_epoch:
        series = {name: _kept(this, name, addresses) for name, addresses in series.items()}
    lengths = _lengths(this)
    return SliceQuery(
        this.library.store,
        series,
        lengths,
        indices={
            name: params.numbers_below(request, name, stop=lengths[length], most=most)
            for name, (length, most) in recipe.indices.items()
        },
        numbers={
            name: params.number_in(request, name, low=low, high=high)
            for name, (low, high) in recipe.numbers.items()
            if name in request.query_params
        },
    )


def _at(epoch: str, analyzer: str, series: Sequence[Address]) -> list[Address]:
    wanted = params.epoch_among(epoch, [address.epoch for address in series], kind=analyzer)
    return [address for address in series if address.epoch == wanted]


def _kept(this: Asked, analyzer: str, series: Sequence[Address]) -> list[Address]:
    """Those that have their arrays. Raises BadConfig where none has: one epoch has to be asked for then."""
    later = set(this.on_demand(analyzer))
    kept = [address for address in series if address.epoch not in later]
    if series and not kept:
        raise BadConfig(
            f"{analyzer} of {this.variant} is kept on demand at every epoch",
            "look at it in the explorer, which computes an epoch at a time; a program asks with `at=EPOCH`",
        )
    return kept


def _lengths(this: Asked) -> dict[str, int]:
    return dict(this.family.lengths(this.family.parse_variant(this.variant)))
