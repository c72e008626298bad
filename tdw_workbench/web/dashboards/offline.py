"""A dashboard as one HTML file that needs neither a server nor a network.

It holds what the panels ask the server for, by address, and the scripts of the page as they are: an import
map gives each module its text, so nothing has to be built.
"""

from __future__ import annotations

import base64
import functools
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.applications import Starlette

from tdw.drawing.style import CONFIG
from tdw.errors import NotFound
from tdw.families import get_family
from tdw_workbench.web.dashboards.files import Saved
from tdw_workbench.web.dashboards.model import Panel
from tdw_workbench.web.dashboards.panels import ask
from tdw_workbench.web.dashboards.shown import page_data
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http.static_files import static_files
from tdw_workbench.web.http.templates import environment

FIRST = "dashboards/main.js"
STYLES = ("page.css", "explorer.css", "maps/maps.css", "dashboards/dashboard.css")
_IMPORT = re.compile(r'(?<=from ")\.[^"]+(?=";)')
_BEFORE = "tdw/"


async def offline_page(app: Starlette, saved: Saved, *, variants: Sequence[str]) -> bytes:
    """The file.

    Args:
        app: of the pages.
        saved: the dashboard.
        variants: that its selector offers; those that are pinned to a panel are in the file, too.

    Raises:
        NotFound: a variant that the dashboard does not offer.
    """
    library: StoreCache = app.state.library
    data = page_data(library, get_family(saved.dashboard.family), saved)
    unknown = [key for key in variants if key not in data["variants"]]
    if unknown:
        there = ", ".join(data["variants"]) or "none"
        raise NotFound(f"{saved.name} does not offer {', '.join(unknown)}", f"it offers: {there}")
    data["variants"] = list(variants)
    wanted = dict.fromkeys(addresses(saved.dashboard.panels, data))
    held = [_Held(address, *await ask(app, address), folder=str(library.store.root)) for address in wanted]
    page = environment().get_template("dashboard_offline.html")
    return page.render(
        saved=saved,
        family=get_family(saved.dashboard.family),
        data=json.dumps(data),
        config=json.dumps(dict(CONFIG)),
        editable=False,
        held=held,
        styles=[Markup(_text(name)) for name in STYLES],
        theme=Markup(_text("theme.js")),
        plotly=Markup(_text("plotly.min.js")),
        modules=_safe(
            json.dumps({"imports": {_BEFORE + name: _as_address(text) for name, text in modules().items()}})
        ),
        first=_BEFORE + FIRST,
    ).encode()


class _Held:
    """An answer as text in the page: JSON as it is, arrays in base64; a reason does not name the folder."""

    def __init__(self, address: str, body: bytes, refused: bool, *, folder: str) -> None:
        self.address, self.refused = address, refused
        if refused:  # the file is for other people: where the store lies here is none of their business
            in_json = json.dumps(folder, ensure_ascii=False)[1:-1]  # as the server writes it
            body = body.replace(in_json.encode(), b"the store")
        packed = (address.startswith("panel/api/") or address.endswith("/maps")) and not refused
        self.text = Markup(base64.b64encode(body).decode()) if packed else _safe(body.decode())


def addresses(panels: Sequence[Panel], data: Mapping[str, Any]) -> Iterator[str]:
    """What the panels ask for, of every variant that they can show; panel.js has the same."""
    for panel in panels:
        what = data["known"].get(panel.kind, {}).get(panel.name)
        if what is None:
            continue
        own = (panel.variant,) if panel.variant is not None else data["variants"]
        for where in (panel.where or data["folder"],) if what["over"] else own:
            yield _address(panel, what, f"{data['dashboard']['family']}/{where}")


def _address(panel: Panel, what: Mapping[str, Any], place: str) -> str:
    match panel.kind:
        case "maps":
            indices = panel.part or ",".join(map(str, what["first"]))
            numbers = "".join(f"&{name}={value}" for name, value in what["numbers"].items())
            return f"panel/api/{what['slice']}/{place}?{what['index']}={indices}{numbers}"
        case "table":
            return f"panel/table/{place}/{panel.name}"
        case "section":
            return f"panel/section/{place}/{panel.name}/{quote(panel.part)}"
        case _:
            return f"panel/plot/{place}/{panel.name}/{'maps' if what['every'] else 'figure.json'}"


@functools.cache
def modules() -> dict[str, str]:
    """The page's first module and what it imports at once: name -> its text, with names in its imports."""
    found: dict[str, str] = {}
    waiting = [FIRST]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue

        def named(match: re.Match[str], at: str = posixpath.dirname(name)) -> str:
            other = posixpath.normpath(posixpath.join(at, match[0]))
            waiting.append(other)
            return _BEFORE + other

        found[name] = _IMPORT.sub(named, _text(name))
    return found


def _as_address(text: str) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _text(name: str) -> str:
    return static_files().paths[name].read_text()


def _safe(text: str) -> Markup:
    """JSON that no text in it can end: "<" is in strings only."""
    return Markup(text.replace("<", "\\u003c"))
