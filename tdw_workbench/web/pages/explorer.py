"""The neuron explorer's page, and the slices it asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tdw.errors import NotFound
from tdw.families import get_family
from tdw.store import Address
from tdw.store.layout import CHECKPOINTS
from tdw_workbench.web.data import slices
from tdw_workbench.web.data.coverage import coverage
from tdw_workbench.web.data.slices import ATTENTION, COARSENESS, FREQUENCIES, NEURONS, Slice
from tdw_workbench.web.data.store_cache import Library
from tdw_workbench.web.http import links
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.http.templates import render

KINDS = (NEURONS, COARSENESS, FREQUENCIES, ATTENTION)
MOST_NEURONS = 8
MOST_HEADS = 16
SMALLEST, LARGEST = 4, 1000  # pixels a side of a map
_BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Asked:
    """The variant that a request names."""

    library: Library
    family: str
    variant: str

    def series(self, kind: str) -> list[Address]:
        """Every artifact of a kind, by epoch."""
        epochs = self.library.epochs(self.family, self.variant, kind)
        return [Address(self.family, self.variant, kind, epoch) for epoch in epochs]

    def some(self, kind: str) -> list[Address]:
        """The same. Raises NotFound when there is none."""
        found = self.series(kind)
        if not found:
            raise NotFound(
                f"{self.variant} has no {kind} yet",
                "materialize some epochs of it in Dagster, or run `tdw fill`",
            )
        return found

    def require_one_model(self, kind: str) -> None:
        """Hold the invariant within a series, once for the same files. Raises FingerprintMismatch."""

        def check() -> bool:
            slices.require_same_model(self.library.store, [self.series(kind)])
            return True

        self.library.by_folder(self.family, self.variant, kind, check)


def asked(request: Request, *, known: Sequence[str] = ()) -> Asked:
    """The variant in the path. Raises NotFound or BadConfig for a name that is none."""
    library: Library = request.app.state.library
    params.require_known(request, known)
    family = params.family_of(request)
    return Asked(library, family, params.variant_of(request, library.store, family))


def page(request: Request) -> Response:
    """The explorer. What is looked at is in the query, which the page's script reads and checks."""
    library: Library = request.app.state.library
    family = params.family_of(request)
    declared = get_family(family)
    if not declared.explorer:
        raise NotFound(f"family {family} has no explorer", "look at its plots, on the first page")
    variant = params.variant_of(request, library.store, family)
    return render(request, "explorer.html", family=family, variant=variant, title=declared.title)


def describe(request: Request) -> Response:
    """What there is to look at, as JSON: sizes, epochs by kind, what is missing."""
    this = asked(request)
    by_kind = {kind: this.series(kind) for kind in KINDS}
    slices.require_same_model(this.library.store, by_kind.values())
    neurons, p = _shape(this, NEURONS, 0), _shape(this, NEURONS, 1)
    have = {kind: [at.epoch for at in series] for kind, series in by_kind.items()}
    present = {epoch for epochs in have.values() for epoch in epochs}
    present |= {*this.library.epochs(this.family, this.variant, CHECKPOINTS)}
    scheduled = this.library.scheduled(this.family, this.variant)
    last = max(present, default=0)
    gaps = (coverage(this.library, this.family, this.variant, kind=kind) for kind in (CHECKPOINTS, *KINDS))
    dagster, study = this.library.settings.dagster_url, this.library.study_of(this.family, this.variant)
    return JSONResponse(
        {
            "family": this.family,
            "variant": this.variant,
            "p": p,
            "neurons": neurons,
            "heads": _shape(this, ATTENTION, 0),
            "epochs": sorted(present | {epoch for epoch in scheduled if epoch <= last}),
            "have": have,
            "gaps": [each.note for each in gaps if each.note],
            "assets": {kind: links.asset_page(dagster, study, (kind,)) for kind in KINDS},
        },
        headers={"Cache-Control": "no-cache"},
    )


def metrics(request: Request) -> Response:
    """The numbers of all neurons at all checkpoints."""
    this = asked(request)
    coarse, frequencies = this.series(COARSENESS), this.series(FREQUENCIES)
    if not coarse and not frequencies:
        this.some(COARSENESS)
    return _answer(
        request,
        this,
        [*coarse, *frequencies],
        lambda: slices.read_metrics(this.library.store, coarse, frequencies),
        keep=True,
    )


def mosaic(request: Request) -> Response:
    """All neurons of one checkpoint, reduced by area to `size` pixels a side."""
    this = asked(request, known=("size",))
    size = params.number_in(request, "size", low=SMALLEST, high=256, default=48)
    series = this.some(NEURONS)
    epochs = [at.epoch for at in series]
    epoch = params.epoch_among(request.path_params["epoch"], epochs, kind=NEURONS)
    address = series[epochs.index(epoch)]
    slices.require_size(maps=_shape(this, NEURONS, 0), size=min(size, _shape(this, NEURONS, 1)))
    return _answer(
        request,
        this,
        [address],
        lambda: slices.read_mosaic(this.library.store, address, size=size),
        keep=True,
    )


def maps(request: Request) -> Response:
    """Some neurons at all checkpoints: `neurons=3,17`, and `size` to have them smaller."""
    this = asked(request, known=("neurons", "size"))
    series = this.some(NEURONS)
    n, p = _shape(this, NEURONS, 0), _shape(this, NEURONS, 1)
    neurons = params.numbers_below(request, "neurons", stop=n, most=MOST_NEURONS)
    size = params.number_in(request, "size", low=SMALLEST, high=LARGEST, default=p)
    slices.require_size(maps=len(neurons) * len(series), size=min(size, p))

    def read() -> Slice:
        this.require_one_model(NEURONS)
        return slices.read_maps(this.library.store, series, neurons=neurons, size=size)

    return _answer(request, this, series, read)


def heads(request: Request) -> Response:
    """Attention to a and to b of some heads at all checkpoints: `heads=0,2`, and `size`."""
    this = asked(request, known=("heads", "size"))
    series = this.some(ATTENTION)
    n, p = _shape(this, ATTENTION, 0), _shape(this, ATTENTION, 2)
    chosen = params.numbers_below(request, "heads", stop=n, most=MOST_HEADS)
    size = params.number_in(request, "size", low=SMALLEST, high=LARGEST, default=p)
    slices.require_size(maps=2 * len(chosen) * len(series), size=min(size, p))

    def read() -> Slice:
        this.require_one_model(ATTENTION)
        return slices.read_heads(this.library.store, series, heads=chosen, size=size)

    return _answer(request, this, series, read)


def _shape(this: Asked, kind: str, axis: int) -> int:
    """A length of the first readable artifact's array of that kind; 0 where there is none."""
    series = this.series(kind)
    return slices.shape_of(this.library.store, series[-1], kind)[axis] if series else 0


def _answer(
    request: Request,
    this: Asked,
    addresses: Sequence[Address],
    read: Callable[[], Slice],
    *,
    keep: bool = False,
) -> Response:
    """The slice, unless the browser has it; `keep` holds it for the next one who asks."""
    etag = etag_of([request.url.path, request.url.query, *this.library.stamps(addresses)])

    def make() -> bytes:
        return read().encode()

    build = (lambda: this.library.answers.get(etag, make)) if keep else make
    return conditional(request, etag, build, media_type=_BINARY)
