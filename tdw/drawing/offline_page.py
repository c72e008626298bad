"""Saving a figure (P12): HTML that works offline, PNG and SVG."""

# Plotly and kaleido ship no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tdw.drawing.style import CONFIG, Figure, figure_json
from tdw.errors import TdwError
from tdw.html_templates import render_html

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE = Path(__file__).parent / "page"
"""The script and the style of what stands around a figure, offline and on the server's pages."""
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


class NoBrowser(TdwError):
    """PNG, SVG and PDF need a browser, and none was found or it did not start."""


def to_html(figure: Figure) -> str:
    """One file with plotly.js inside (5 MB); it follows the reader's light or dark theme."""
    title = figure.layout.title.text or "Figure"  # type: ignore[union-attr]
    return html_page(str(title), figure_json(figure))


def html_page(title: str, figure: str) -> str:
    """The same, from a bundle's `figure.json`."""
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    return render_html(
        "figure.html",
        title=title,
        style=Markup((PAGE / "around.css").read_text()),
        plotly=Markup(get_plotlyjs()),
        around=Markup((PAGE / "around.js").read_text()),
        figure=_script_safe(figure),
        config=_script_safe(json.dumps(dict(CONFIG))),
    )


def to_png(figure: Figure, *, width: int = 1200, height: int = 700, scale: float = 2) -> bytes:
    """A PNG of width × scale by height × scale pixels. Raises NoBrowser."""
    return _to_image(figure, "png", width=width, height=height, scale=scale)


def to_svg(figure: Figure, *, width: int = 1200, height: int = 700) -> bytes:
    """An SVG. Raises NoBrowser."""
    return _to_image(figure, "svg", width=width, height=height, scale=1)


def find_browser() -> str:
    """A Chromium or Chrome: $BROWSER_PATH, else the first that is installed.

    Raises:
        NoBrowser: there is none.
    """
    named = os.environ.get("BROWSER_PATH")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        looked = f"$BROWSER_PATH is {named!r}" if named else f"none of {', '.join(_BROWSERS)} is on the PATH"
        raise NoBrowser(
            f"no browser to make PNG, SVG or PDF with: {looked}",
            "install Chromium (`apt install chromium`) or point BROWSER_PATH at one; HTML and CSV need none",
        )
    return found


def _to_image(figure: Figure, kind: Literal["png", "svg"], *, width: int, height: int, scale: float) -> bytes:
    browser = find_browser()
    import kaleido
    from kaleido import PageGenerator

    options: dict[str, Any] = {"format": kind, "width": width, "height": height, "scale": scale}
    try:
        # MathJax would be fetched from the net, and no figure has formulas.
        return kaleido.calc_fig_sync(
            json.loads(figure_json(figure)),
            opts=options,
            kopts={"path": browser, "page_generator": PageGenerator(mathjax=False)},
        )
    except Exception as error:
        raise NoBrowser(
            f"{browser} did not draw the figure ({type(error).__name__}: {error})",
            "try `BROWSER_PATH=...` with another Chromium; HTML and CSV need none",
        ) from error


def _script_safe(text: str) -> Markup:
    """JSON that is safe inside a script element."""
    from markupsafe import Markup

    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
