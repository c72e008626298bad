"""A page as PDF, printed by the browser that draws PNG and SVG."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tdw.drawing.offline_page import NoBrowser, find_browser

_LIMIT_S = 120.0
_QUIET = (
    "--headless=new", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer",
)  # fmt: skip


def to_pdf(page: bytes) -> bytes:
    """Print a self-contained HTML page, on the paper that its style asks for.

    Raises:
        NoBrowser: there is no Chromium or Chrome, or it did not print the page.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="tdw-pdf-") as folder:
        source, target = Path(folder) / "page.html", Path(folder) / "page.pdf"
        source.write_bytes(page)
        command = [browser, *_QUIET, f"--user-data-dir={folder}/profile", f"--print-to-pdf={target}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium does not start as root with one; the page is our own
        try:
            done = subprocess.run(
                [*command, source.as_uri()], capture_output=True, timeout=_LIMIT_S, check=False
            )
            why = f"exit code {done.returncode}"
        except subprocess.TimeoutExpired:
            why = f"it took more than {_LIMIT_S:g} s"
        except OSError as error:
            why = str(error)
        if not target.exists():
            raise NoBrowser(
                f"{browser} did not print the page ({why})",
                "try `BROWSER_PATH=...` with another Chromium; the HTML page needs none",
            )
        return target.read_bytes()
