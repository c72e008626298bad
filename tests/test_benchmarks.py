"""Every benchmark still runs: at its smallest size, whatever it measures."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ci]
FOLDER = Path(__file__).parents[1] / "benchmarks"
SMALLEST = {
    "training": ("--rounds", "1", "--quick"),
    "batch": ("--epochs", "2", "--p", "7"),
    "families": ("--rounds", "1", "--quick"),
    "analysis": ("--rounds", "1", "--epochs", "0"),
    "landscape": ("--quick",),
    "startup": ("--rounds", "1"),
    "orchestration": ("--rounds", "1", "--p", "7", "--checkpoints", "2"),
    "events": ("--rounds", "1", "--events", "20"),
    "scale": ("--rounds", "1", "--sizes", "2", "--epochs", "5"),
    "study": ("--rounds", "1", "--checkpoints", "1"),
    "sweep": ("--variants", "12", "--checkpoints", "4"),
    "web": ("--rounds", "1", "--quick"),
}


def test_every_benchmark_is_tried() -> None:
    main = runpy.run_path(str(FOLDER / "__main__.py"))
    assert set(main["NAMES"]) == SMALLEST.keys()


@pytest.mark.parametrize("name", SMALLEST)
def test_it_runs_at_its_smallest_size(name: str, tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--json", str(found), *SMALLEST[name]]
    if name == "web":
        _require_browser()
        command += ["--folder", str(tmp_path / "stores")]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(found.read_text())
    assert result["rows"] and all(set(row) == set(result["rows"][0]) for row in result["rows"])


def _require_browser() -> None:
    """Skips without one, as the browser tests do; in CI that is a failure."""
    if os.environ.get("BROWSER_PATH") or shutil.which("chromium") or shutil.which("google-chrome"):
        return
    reason = "no Chromium: `apt install chromium`, or point BROWSER_PATH at a Chromium or Chrome"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
