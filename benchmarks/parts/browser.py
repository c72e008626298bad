"""A browser for benchmarks: headless Chromium, and what is measured inside a page."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from typing import Any

from tdw.drawing.offline_page import find_browser

SIZE: Any = {"width": 1500, "height": 950}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
)

ADD = """async (neuron) => {
  performance.clearMarks("tdw-map");
  const start = performance.now();
  document.getElementById("add").value = neuron;
  document.getElementById("picks").requestSubmit();
  while (!performance.getEntriesByName("tdw-map").length) await new Promise((done) => setTimeout(done, 1));
  return performance.getEntriesByName("tdw-map")[0].startTime - start;
}"""

# From a letter to what is painted next.
TYPED = """async () => {
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
STEPS = """async () => {
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


def open_page(page: Any, url: str) -> float:
    """Seconds from the navigation's start until everything is drawn."""
    page.goto(url)
    page.wait_for_selector("html[data-ready=true]", state="attached", timeout=60_000)
    return 1e-3 * page.evaluate("performance.getEntriesByName('tdw-ready')[0].startTime")


@contextlib.contextmanager
def chromium(profile: str = "") -> Iterator[Any]:
    """Headless Chromium, whose windows are private; with a folder for a profile, an ordinary window of it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        start, how = playwright.chromium, {"executable_path": find_browser(), "args": list(FLAGS)}
        opened = (
            start.launch_persistent_context(profile, viewport=SIZE, **how) if profile else start.launch(**how)
        )
        yield opened
        opened.close()


def browser_version() -> str:
    """As the browser tells it."""
    told = subprocess.run([find_browser(), "--version"], capture_output=True, text=True, check=False)
    return told.stdout.strip().split(" built")[0]
