"""How fast the pages are, in headless Chromium and on the server: p=113, 512 neurons, 95 checkpoints.

Makes the stores it measures in --folder (0.8 GB; kept there, so a second run starts at once).
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import common
from parts.browser import ADD, SIZE, STEPS, TYPED, browser_version, chromium, open_page
from parts.served import Served, serving
from synthetic_store import EPOCHS, FAMILY, make_many, make_variant

from tdw.errors import TdwError
from tdw.families.modulo_addition_1layer.figures import PLOTS
from tdw.families.modulo_addition_1layer.summaries import SUMMARIES
from tdw.making.figures import render
from tdw.making.tables import summarize
from tdw.store import Store

VARIANT, NEURONS = "p113_s999_d598", 512
HERE = f"{FAMILY.name}/{VARIANT}"
NOTES = """\
A page is open when what is in sight is drawn, counted from the navigation's start; plotly.js is in the
browser's cache. A private window compiles it each time, which takes about a second of a core, and an ordinary
one keeps it compiled; pages open in private windows where nothing else is said. A dashboard draws the panels
further down afterwards, one by one: when all are drawn is a row of its own."""


@dataclass(frozen=True)
class Amount:
    """How much there is to look at.

    Attributes:
        epochs: of the variant that is there in full.
        plots: so many of its pages are opened.
        variants: of the first page.
        requests: after which the server's memory is read.
    """

    epochs: tuple[int, ...] = EPOCHS
    plots: int = len(PLOTS)
    variants: int = 100
    requests: int = 1500


QUICK = Amount(epochs=EPOCHS[:3], plots=1, variants=3, requests=30)


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tdw-web-benchmark")
    parser.add_argument("--quick", action="store_true", help="little to look at: whether it runs at all")
    options = parser.parse_args()
    of = QUICK if options.quick else Amount()
    one, many = make_stores(options.folder, of)
    rows: list[common.Row] = []
    with serving(many) as served:
        rows += first_page(served, of, options.rounds)
    with serving(one) as served:
        rows += on_the_server(served, of, options.rounds)
        rows += in_the_browser(served, of, Store(one), options.rounds)
    with serving(one) as served:
        rows += memory(served, of)
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


def make_stores(folder: Path, of: Amount) -> tuple[Path, Path]:
    """A store with one variant in full and all plots, and one with many variants for the first page."""
    one, many = folder / f"one-{len(of.epochs)}", folder / f"many-{of.variants}"
    if not (one / "done").exists():
        shutil.rmtree(one, ignore_errors=True)
        store, config = Store(one), FAMILY.parse_variant(VARIANT)
        make_variant(store, VARIANT, epochs=of.epochs)
        for summary in SUMMARIES:
            with contextlib.suppress(TdwError):
                summarize(store, FAMILY, config, summary.name)
        for plot in PLOTS:
            with contextlib.suppress(TdwError):
                render(plot, store, family=FAMILY, variants=[VARIANT]).write(store)
        (one / "done").touch()
    if not (many / "done").exists():
        shutil.rmtree(many, ignore_errors=True)
        make_many(Store(many), of.variants)
        (many / "done").touch()
    return one, many


def first_page(served: Served, of: Amount, rounds: int) -> list[common.Row]:
    """The first request after the server's start, those after it, and in the browser until the page and its
    scripts are there (`domComplete`).
    """
    times = [_timed(lambda: served.ask("/")) for _ in range(rounds + 1)]
    with chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        opened = []
        for _ in range(rounds):
            page.goto(f"{served.url}/", wait_until="load")
            opened.append(1e-3 * page.evaluate("performance.getEntriesByType('navigation')[0].domComplete"))
        page.wait_for_selector("html[data-choose=ready]", state="attached")
        typed = [1e-3 * each for each in page.evaluate(TYPED)]
    what = f"first page, {of.variants} variants"
    return [
        row(f"{what}, asked as the server starts", times[0], target=1.0),
        spread(f"{what}, after that", times[1:], target=1.0),
        spread(f"{what}, in the browser", opened, target=0.4),
        spread(f"a letter typed into the search of {of.variants} variants", typed, target=0.100),
    ]


def neurons_from(first: int, count: int) -> str:
    """Numbers of neurons, as a query has them."""
    return ",".join(str((first + i) % NEURONS) for i in range(count))


def on_the_server(served: Served, of: Amount, rounds: int) -> list[common.Row]:
    """Slices, different ones each time."""
    count = f"{len(of.epochs)} checkpoints"
    five = f"/api/maps/{HERE}?neurons="
    size = len(served.ask(five + neurons_from(0, 5))) / 1e6
    what: dict[str, tuple[Callable[[int], str], float | None]] = {
        f"slice: 5 neurons x {count} ({size:.0f} MB)": (lambda i: five + neurons_from(5 * i, 5), 0.060),
        f"slice: 1 neuron x {count}": (lambda i: five + neurons_from(500 - i, 1), None),
        f"all {NEURONS} neurons of a checkpoint, reduced to 49 x 49": (
            lambda i: f"/api/mosaic/{HERE}/{of.epochs[i % len(of.epochs)]}?size=49",
            None,
        ),
        "numbers of all neurons at all checkpoints": (lambda i: f"/api/metrics/{HERE}", None),
        f"4 heads x {count}": (lambda i: f"/api/heads/{HERE}?heads=0,1,2,3", None),
    }
    found = []
    for name, (path, target) in what.items():
        served.ask(path(15))  # the files come into the page cache
        times = [_timed(lambda i=i, path=path: served.ask(path(i))) for i in range(max(3, rounds))]
        found.append(spread(name, times, target=target))
    return found


def in_the_browser(served: Served, of: Amount, store: Store, rounds: int) -> list[common.Row]:
    """Opening pages, adding neurons, moving the slider."""
    found: list[common.Row] = []
    base = served.url
    with chromium() as browser:
        context = browser.new_context(viewport=SIZE)
        for name, where in _plot_pages(store)[: of.plots]:
            page = context.new_page()
            opened = [open_page(page, f"{base}/view/plot/{where}") for _ in range(rounds + 2)][2:]
            found.append(spread(f"open plot {name}, library cached", opened, target=0.6))
            page.close()
        fresh = [browser.new_context(viewport=SIZE).new_page() for _ in range(rounds)]
        opened = [open_page(page, f"{base}/explorer/{HERE}") for page in fresh]
        found.append(spread("open the explorer, nothing cached", opened, target=2.5))
        page = context.new_page()
        opened = [open_page(page, f"{base}/explorer/{HERE}") for _ in range(rounds + 1)][1:]
        found.append(spread("open the explorer again", opened, target=2.5))
        added = [1e-3 * page.evaluate(ADD, 11 * i + 3) for i in range(5)]
        found.append(spread("add a neuron", added, target=0.100))
        steps = [1e-3 * step for step in page.evaluate(STEPS)]
        found.append(spread("slider step, 5 maps: work in the page", steps, target=0.016))
        for name in ("multi_scale_56", "attention_patterns"):
            opened = [open_page(page, f"{base}/view/plot/{HERE}/{name}") for _ in range(rounds + 1)][1:]
            found.append(spread(f"open {name} with every epoch, again", opened))
            steps = [1e-3 * step for step in page.evaluate(STEPS)]
            found.append(spread(f"slider step, {name}: work in the page", steps, target=0.016))
        page.close()
        found += dashboards(context, base, "in a private window", rounds)
        page = context.pages[-1]
        steps = [1e-3 * step for step in page.evaluate(STEPS)]
        found.append(spread("slider step, twelve panels: work in the page", steps, target=0.016))
        heap = page.evaluate("performance.memory.usedJSHeapSize / 1e6")
        found.append(row("memory of the page's scripts", heap, "MB"))
    with tempfile.TemporaryDirectory() as profile, chromium(profile) as context:
        found += dashboards(context, base, "in an ordinary window", rounds)
    return found


def dashboards(context: Any, base: str, where: str, rounds: int) -> list[common.Row]:
    """A dashboard of twelve panels, plotly.js cached: when those in sight are drawn, and when all twelve are.

    A private window compiles plotly.js each time, which takes it a second; an ordinary one keeps it compiled.
    """
    seen, whole = [], []
    for _ in range(rounds + 2):
        before, page = context.pages, context.new_page()
        for each in before:
            each.close()
        seen.append(open_page(page, f"{base}/dashboards/{FAMILY.name}"))
        page.wait_for_function("() => performance.getEntriesByName('tdw-all').length > 0")
        whole.append(1e-3 * page.evaluate("performance.getEntriesByName('tdw-all')[0].startTime"))
    return [
        spread(f"open a dashboard of twelve panels {where}: those in sight", seen[2:], target=1.5),
        spread(f"open a dashboard of twelve panels {where}: all", whole[2:]),
    ]


def memory(served: Served, of: Amount) -> list[common.Row]:
    """Resident memory of the server over requests of all kinds."""
    first, at = of.requests // 3, dict[int, float]()
    for i in range(of.requests):
        served.ask(
            (
                f"/api/maps/{HERE}?neurons={neurons_from(7 * i, 5)}",
                f"/api/mosaic/{HERE}/{of.epochs[i % min(16, len(of.epochs))]}?size={40 + i % 30}",
                f"/api/metrics/{HERE}",
                f"/api/heads/{HERE}?heads={i % 4}",
                "/",
                f"/view/plot/{HERE}/mean_coarseness",
            )[i % 6]
        )
        if i + 1 >= first:
            at[i + 1] = served.rss_mb
    lowest, highest = min(at.values()), max(at.values())
    return [
        row(f"server memory after {first:,} requests", at[first], "MB"),
        row(
            f"server memory after {of.requests:,} requests", at[of.requests], "MB", best=lowest, worst=highest
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


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
