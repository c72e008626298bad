"""How fast the pages are, in headless Chromium and on the server: p=113, 512 neurons, 95 checkpoints.

Makes the stores it measures in --folder (0.8 GB; kept there, so a second run starts at once).
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import common
from synthetic_store import FAMILY, make_many, make_variant

from tdw.errors import TdwError
from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.families.modulo_addition_1layer.summaries import SUMMARIES
from tdw.making.figures import render
from tdw.making.tables import summarize
from tdw.store import Store

VARIANT = "p113_s999_d598"
PORT = 3990
BASE = f"http://127.0.0.1:{PORT}/tdw"
SIZE: Any = {"width": 1500, "height": 950}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
HERE = f"{FAMILY.name}/{VARIANT}"
NOTES = """\
A page is open when what is in sight is drawn, counted from the navigation's start; plotly.js is in the
browser's cache. A private window compiles it each time, which takes about a second of a core, and an ordinary
one keeps it compiled; pages open in private windows where nothing else is said. A dashboard draws the panels
further down afterwards, one by one: when all are drawn is a row of its own."""


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tdw-web-benchmark")
    options = parser.parse_args()
    one, many = make_stores(options.folder)
    rows: list[common.Row] = []
    with server(many) as ask:
        rows += first_page(ask, options.rounds)
    with server(one) as ask:
        rows += on_the_server(ask, options.rounds)
        rows += in_the_browser(Store(one), options.rounds)
    with server(one) as ask:
        rows += memory(ask)
    environment = common.machine(["plotly", "starlette", "uvicorn"]) | {"browser": browser_version()}
    common.report("Pages", rows, environment=environment, json_path=options.json, notes=NOTES)


def row(
    what: str,
    median: float,
    unit: str = "s",
    *,
    best: float | None = None,
    worst: float | None = None,
    target: float | None = None,
) -> common.Row:
    """A line of the table."""
    return {"what": what, "best": best, "median": median, "worst": worst, "target": target, "unit": unit}


def spread(what: str, times: Sequence[float], *, target: float | None = None) -> common.Row:
    """A line from several measurements, in seconds."""
    return row(what, statistics.median(times), best=min(times), worst=max(times), target=target)


def make_stores(folder: Path) -> tuple[Path, Path]:
    """A store with one variant in full and all plots, and one with 100 variants for the first page."""
    one, many = folder / "one", folder / "many"
    if not (one / "done").exists():
        shutil.rmtree(one, ignore_errors=True)
        store, config = Store(one), FAMILY.parse_variant(VARIANT)
        make_variant(store, VARIANT)
        for summary in SUMMARIES:
            with contextlib.suppress(TdwError):
                summarize(store, FAMILY, config, summary.name)
        for plot in PLOTS:
            with contextlib.suppress(TdwError):
                render(plot, store, family=FAMILY, variants=[VARIANT]).write(store)
        (one / "done").touch()
    if not (many / "done").exists():
        shutil.rmtree(many, ignore_errors=True)
        make_many(Store(many), 100)
        (many / "done").touch()
    return one, many


@contextlib.contextmanager
def server(store: Path) -> Iterator[Callable[[str], bytes]]:
    """`tdw serve` in a process of its own; gives a function that asks it."""
    study = Path(__file__).resolve().parent.parent / "studies" / "eight_models"
    command = [sys.executable, "-m", "tdw_workbench.cli", "serve"]
    command += ["--store", str(store), "--study", str(study), "--port", str(PORT)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    connection = http.client.HTTPConnection("127.0.0.1", PORT)

    def ask(path: str) -> bytes:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}: is port {PORT} in use?")
        connection.request("GET", f"/tdw{path}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body

    ask.process = process  # type: ignore[attr-defined]
    try:
        for _ in range(600):
            try:
                ask("/ping")
                break
            except OSError:
                connection.close()
                time.sleep(0.1)
        yield ask
    finally:
        connection.close()
        process.terminate()
        process.wait(20)


def first_page(ask: Callable[[str], bytes], rounds: int) -> list[common.Row]:
    """100 variants: the first request after the server's start, those after it, and in the browser until the
    page and its scripts are there (`domComplete`).
    """
    times = [_timed(lambda: ask("/")) for _ in range(rounds + 1)]
    with chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        opened = []
        for _ in range(rounds):
            page.goto(f"{BASE}/", wait_until="load")
            opened.append(1e-3 * page.evaluate("performance.getEntriesByType('navigation')[0].domComplete"))
        page.wait_for_selector("html[data-choose=ready]", state="attached")
        typed = [1e-3 * each for each in page.evaluate(_TYPED)]
    return [
        row("first page, 100 variants, asked as the server starts", times[0], target=1.0),
        spread("first page, 100 variants, after that", times[1:], target=1.0),
        spread("first page, 100 variants, in the browser", opened, target=0.4),
        spread("a letter typed into the search of 100 variants", typed, target=0.100),
    ]


def on_the_server(ask: Callable[[str], bytes], rounds: int) -> list[common.Row]:
    """Slices, different ones each time."""
    what = {
        "slice: 5 neurons x 95 checkpoints (6 MB)": (
            lambda i: f"/api/maps/{HERE}?neurons={','.join(str(5 * i + j) for j in range(5))}",
            0.060,
        ),
        "slice: 1 neuron x 95 checkpoints": (lambda i: f"/api/maps/{HERE}?neurons={500 - i}", None),
        "all 512 neurons of a checkpoint, reduced to 49 x 49": (
            lambda i: f"/api/mosaic/{HERE}/{100 * i}?size=49",
            None,
        ),
        "numbers of all neurons at all checkpoints": (lambda i: f"/api/metrics/{HERE}", None),
        "4 heads x 95 checkpoints": (lambda i: f"/api/heads/{HERE}?heads=0,1,2,3", None),
    }
    found = []
    for name, (path, target) in what.items():
        ask(path(15))  # the files come into the page cache
        times = [_timed(lambda i=i, path=path: ask(path(i))) for i in range(max(3, rounds))]
        found.append(spread(name, times, target=target))
    return found


def in_the_browser(store: Store, rounds: int) -> list[common.Row]:
    """Opening pages, adding neurons, moving the slider."""
    found: list[common.Row] = []
    with chromium() as browser:
        context = browser.new_context(viewport=SIZE)
        for name, where in _plot_pages(store):
            page = context.new_page()
            opened = [_open(page, f"{BASE}/view/plot/{where}") for _ in range(rounds + 2)][2:]
            found.append(spread(f"open plot {name}, library cached", opened, target=0.6))
            page.close()
        fresh = [browser.new_context(viewport=SIZE).new_page() for _ in range(rounds)]
        opened = [_open(page, f"{BASE}/explorer/{HERE}") for page in fresh]
        found.append(spread("open the explorer, nothing cached", opened, target=2.5))
        page = context.new_page()
        opened = [_open(page, f"{BASE}/explorer/{HERE}") for _ in range(rounds + 1)][1:]
        found.append(spread("open the explorer again", opened, target=2.5))
        added = [1e-3 * page.evaluate(_ADD, 11 * i + 3) for i in range(5)]
        found.append(spread("add a neuron", added, target=0.100))
        steps = [1e-3 * step for step in page.evaluate(_STEPS)]
        found.append(spread("slider step, 5 maps: work in the page", steps, target=0.016))
        for name in ("multi_scale_56", "attention_patterns"):
            opened = [_open(page, f"{BASE}/view/plot/{HERE}/{name}") for _ in range(rounds + 1)][1:]
            found.append(spread(f"open {name} with every epoch, again", opened))
            steps = [1e-3 * step for step in page.evaluate(_STEPS)]
            found.append(spread(f"slider step, {name}: work in the page", steps, target=0.016))
        page.close()
        found += dashboards(context, "in a private window", rounds)
        page = context.pages[-1]
        steps = [1e-3 * step for step in page.evaluate(_STEPS)]
        found.append(spread("slider step, twelve panels: work in the page", steps, target=0.016))
        heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        found.append(row("memory of the page's scripts", heap, "MB"))
    with tempfile.TemporaryDirectory() as profile, chromium(profile) as context:
        found += dashboards(context, "in an ordinary window", rounds)
    return found


def dashboards(context: Any, where: str, rounds: int) -> list[common.Row]:
    """A dashboard of twelve panels, plotly.js cached: when those in sight are drawn, and when all twelve are.

    A private window compiles plotly.js each time, which takes it a second; an ordinary one keeps it compiled.
    """
    seen, whole = [], []
    for _ in range(rounds + 2):
        before, page = context.pages, context.new_page()
        for each in before:
            each.close()
        seen.append(_open(page, f"{BASE}/dashboards/{FAMILY.name}"))
        page.wait_for_function("performance.getEntriesByName('tdw-all').length > 0")
        whole.append(1e-3 * page.evaluate("performance.getEntriesByName('tdw-all')[0].startTime"))
    return [
        spread(f"open a dashboard of twelve panels {where}: those in sight", seen[2:], target=1.5),
        spread(f"open a dashboard of twelve panels {where}: all", whole[2:]),
    ]


_ADD = """async (neuron) => {
  performance.clearMarks("tdw-map");
  const start = performance.now();
  document.getElementById("add").value = neuron;
  document.getElementById("picks").requestSubmit();
  while (!performance.getEntriesByName("tdw-map").length) await new Promise((done) => setTimeout(done, 1));
  return performance.getEntriesByName("tdw-map")[0].startTime - start;
}"""

# From a letter to what is painted next.
_TYPED = """async () => {
  const { q } = [...document.querySelectorAll("form.choose")].at(-1).elements;
  const times = [];
  for (const text of ["s", "s1", "s10", "s1", "s", "", "seed>5", "seed>50", "seed>5", ""]) {
    await new Promise((done) => setTimeout(done, 500)); // rows further down are laid out
    const start = performance.now();
    q.value = text;
    q.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    times.push(performance.now() - start);
  }
  return times;
}"""

# Work of a step: the handler, and the layout that it makes necessary.
_STEPS = """async () => {
  const slider = document.getElementById("epoch");
  const times = [];
  for (let i = 0; i <= Number(slider.max); i++) {
    await new Promise(requestAnimationFrame);
    const start = performance.now();
    slider.value = i;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.offsetHeight;
    times.push(performance.now() - start);
  }
  return times;
}"""


def memory(ask: Callable[[str], bytes]) -> list[common.Row]:
    """Resident memory of the server over 1,000 requests of all kinds."""
    process: subprocess.Popen[bytes] = ask.process  # type: ignore[attr-defined]
    at = {}
    for i in range(1500):
        epoch = 100 * (i % 16)
        neurons = ",".join(str((7 * i + j) % 512) for j in range(5))
        ask(
            (
                f"/api/maps/{HERE}?neurons={neurons}",
                f"/api/mosaic/{HERE}/{epoch}?size={40 + i % 30}",
                f"/api/metrics/{HERE}",
                f"/api/heads/{HERE}?heads={i % 4}",
                "/",
                f"/view/plot/{HERE}/mean_coarseness",
            )[i % 6]
        )
        if i >= 499:
            at[i + 1] = _rss_mb(process.pid)
    return [
        row("server memory after 500 requests", at[500], "MB"),
        row(
            "server memory after 1,500 requests",
            at[1500],
            "MB",
            best=min(at.values()),
            worst=max(at.values()),
        ),
    ]


def _plot_pages(store: Store) -> list[tuple[str, str]]:
    found = []
    for plot in PLOTS:
        variant = VARIANT if plot.scope == "variant" else None
        with contextlib.suppress(TdwError):
            store.read_document(FAMILY.name, variant, plot.name)
            found.append((plot.name, f"{FAMILY.name}/{variant or '_comparison'}/{plot.name}"))
    return found


def _open(page: Any, url: str) -> float:
    """Seconds from the navigation's start until everything is drawn."""
    page.goto(url)
    page.wait_for_selector("html[data-ready=true]", state="attached", timeout=60_000)
    return 1e-3 * page.evaluate("performance.getEntriesByName('tdw-ready')[0].startTime")


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("no VmRSS")


@contextlib.contextmanager
def chromium(profile: str = "") -> Iterator[Any]:
    """Headless Chromium, whose windows are private; with a folder for a profile, an ordinary window of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        start, how = playwright.chromium, {"executable_path": browser_path(), "args": list(FLAGS)}
        opened = (
            start.launch_persistent_context(profile, viewport=SIZE, **how) if profile else start.launch(**how)
        )
        yield opened
        opened.close()


def browser_path() -> str:
    """The distribution's browser, or the one that $BROWSER_PATH names."""
    found = os.environ.get("BROWSER_PATH") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        raise RuntimeError("no Chromium: install it, or point BROWSER_PATH at one")
    return found


def browser_version() -> str:
    """As the browser tells it."""
    told = subprocess.run([browser_path(), "--version"], capture_output=True, text=True, check=False)
    return told.stdout.strip().split(" built")[0]


if __name__ == "__main__":
    main()
