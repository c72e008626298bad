"""Maps at every epoch, for the pages of figures whose own slider can't carry them all (`Plot.every`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from tdw.errors import BadConfig, NotFound
from tdw.families import get_family
from tdw.making.figures import every_epoch
from tdw.recipes.reading.slices import Slice, require_size
from tdw.store.layout import folder
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.http import parameters as params
from tdw_workbench.web.http.answers import conditional, etag_of
from tdw_workbench.web.pages import plot as plots

if TYPE_CHECKING:
    from tdw.drawing.marks import Scale
    from tdw.recipes.common.panels import Maps


def maps(request: Request) -> Response:
    """The maps as a slice: `values` (epochs, maps, rows, columns), and what they are; `n` lists a choice."""
    this = plots.asked(request)
    if this.variant is None or this.plot.every is None:
        raise NotFound(f"{this.name} has no maps at every epoch", "look at its stored figure")
    variant = this.variant
    chosen: dict[str, Any] = {}
    if "n" in request.query_params:
        if this.plot.chooses is None:
            raise BadConfig(f"of {this.name} nothing can be chosen", "leave n out")
        listed = params.numbers_below(request, "n", stop=10**8, most=this.plot.chooses.most)
        chosen[this.plot.chooses.parameter] = tuple(listed)
    kinds = {name.partition("/")[0] for name in (*this.plot.needs, *this.plot.uses)}
    stamps = [stamp(this.library.store.root / folder(this.family, variant, kind)) for kind in sorted(kinds)]
    etag = etag_of([request.url.path, chosen, this.plot.code_version, *stamps])

    def make() -> bytes:
        found = every_epoch(this.library.store, get_family(this.family), variant, this.name, **chosen)
        assert found is not None
        return slice_of(found).encode()

    kept = lambda: this.library.answers.get(etag, make)  # noqa: E731
    return conditional(request, etag, kept, media_type="application/octet-stream")


def slice_of(maps: Maps) -> Slice:
    """What a browser needs to draw the maps at any of their epochs.

    Raises:
        BadConfig: the maps of all epochs are more than one answer may hold.
    """
    values = maps.values if maps.values.dtype == np.uint8 else maps.values.astype(np.int16)
    require_size(maps=len(values) * values.shape[1] * values.itemsize, size=values.shape[-1])
    scales = list(dict.fromkeys(maps.scales))
    titles = maps.titles if len(set(maps.titles)) > 1 else maps.titles[:1]
    about = {
        "epochs": maps.epochs,
        "names": maps.names,
        "titles": [[title.replace("<b>", "").replace("</b>", "") for title in each] for each in titles],
        "scales": [_scale(each) for each in scales],
        "scale": [scales.index(each) for each in maps.scales],
        "columns": maps.columns,
        "side": maps.side,
        "x": maps.x.title,
        "y": maps.y.title,
        "down": maps.y.reverse,
        "unit": maps.unit,
        "note": maps.note,
        "chosen": maps.chosen,
    }
    return Slice({"values": values}, about=about)


def _scale(scale: Scale) -> dict[str, Any]:
    return {
        "title": scale.title, "unit": scale.unit, "top": scale.top, "tops": scale.tops,
        "colors": _colors(scale.colors),
    }  # fmt: skip


def _colors(name: str) -> str:
    """The 256 colors of a scale, six hexadecimal digits each."""
    from matplotlib import colormaps

    table = colormaps[name.lower()](np.arange(256), bytes=True)
    return np.asarray(table)[:, :3].tobytes().hex()
