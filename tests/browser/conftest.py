"""Real Chromium on real servers, with a tiny variant that was really trained."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looking import FAMILY, REBOUND, VARIANT, serving

from tdw.errors import TdwError
from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.families.modulo_addition_1layer.summaries import SUMMARIES
from tdw.making.figures import render
from tdw.making.tables import summarize
from tdw.store import Store

# Nothing of the browser's own may go out, and it runs as root in a container.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
)


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Any]:
    """The browser, started."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def store(_trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The tiny variant with its summaries and every plot that can be drawn of it."""
    root = tmp_path_factory.mktemp("browser") / "store"
    shutil.copytree(_trained, root)
    store, config = Store(root), FAMILY.parse_variant(VARIANT)
    for summary in SUMMARIES:
        summarize(store, FAMILY, config, summary.name)
    for plot in PLOTS:
        try:
            render(plot, store, family=FAMILY, variants=[VARIANT]).write(store)
        except TdwError:
            assert plot.scope == "comparison", f"{plot.name} can't be drawn of a complete variant"
    return store


@pytest.fixture(scope="session")
def served(store: Store) -> Iterator[str]:
    """Address of our pages on a server of their own."""
    with serving(store) as url:
        yield url


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page of a fresh profile; afterwards: no error in the console, and nothing asked of another origin."""
    scheme = getattr(request, "param", "light")
    context = browser.new_context(
        viewport={"width": 1400, "height": 900}, color_scheme=scheme, accept_downloads=True
    )
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: None if _is_local(r.url) else wrong.append(f"left the origin: {r.url}"))
    yield page
    context.close()
    assert wrong == []


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:"))
