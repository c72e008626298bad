"""Every benchmark still runs: at its smallest size, whatever it measures."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ci]
FOLDER = Path(__file__).parents[1] / "benchmarks"
SMALLEST = {
    "training": ("--rounds", "1", "--quick"),
    "epoch": ("--rounds", "1", "--quick"),
    "batch": ("--epochs", "2", "--p", "7"),
    "families": ("--rounds", "1", "--quick"),
    "analysis": ("--rounds", "1", "--epochs", "0"),
    "landscape": ("--quick",),
    "startup": ("--rounds", "1"),
    "quickstart": ("--study", str(FOLDER / "parts" / "tiny.yaml")),
    "disk": ("--p", "7", "--checkpoints", "2"),
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
def test_it_runs_at_its_smallest_size(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = tmp_path / "found.json"
    command = [sys.executable, str(FOLDER / f"{name}.py"), "--json", str(found), *SMALLEST[name]]
    if name == "web":
        request.getfixturevalue("chromium")
        command += ["--folder", str(tmp_path / "stores")]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(found.read_text())
    assert result["rows"] and all(set(row) == set(result["rows"][0]) for row in result["rows"])
