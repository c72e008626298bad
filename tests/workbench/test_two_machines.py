"""Two machines fill one study on one Postgres, and one is killed: a small scripts/demo-cluster."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
STUDY = """\
name: shared
variants: {grid: {p: [11], seed: [1, 2, 3, 4], data_seed: [598]}}
epochs: 200
checkpoints: ["0:200:50"]
early_epoch: 50
analyzers: [coarseness]
training: {device: cpu}
"""
pytestmark = [pytest.mark.slow, pytest.mark.ci, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def demo() -> dict:
    return runpy.run_path(str(PROJECT / "scripts" / "demo-cluster"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Postgres' own user may look into."""
    with tempfile.TemporaryDirectory(prefix="tdw-two-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def on_machine(name: str) -> list[str]:
    """What goes before a command so that its host has this name; nothing where that is not allowed."""
    words = ["unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', name]
    allowed = (
        shutil.which("unshare") and subprocess.run([*words, "true"], capture_output=True).returncode == 0
    )
    return words if allowed else []


def test_one_of_two_is_killed_and_nothing_is_lost_or_done_twice(demo: dict, folder: Path) -> None:
    programs = demo["postgres_programs"]()
    if programs is None:
        pytest.skip("there is no Postgres server here: install the package postgresql")
    shutil.copytree(PROJECT / "dagster_home" / "postgres", folder / "home")
    (folder / "study.yaml").write_text(STUDY)
    store = folder / "store"
    with demo["postgres"](folder, programs) as address:
        environment = os.environ | {
            "TDW_POSTGRES_URL": address,
            "TDW_DAGSTER_HOME": str(folder / "home"),
            "TDW_STORE": str(store),
            "TDW_STUDY": str(folder / "study.yaml"),
        }
        environment.pop("DAGSTER_EVENT_BATCH_SIZE", None)

        def start(machine: str, *arguments: str) -> subprocess.Popen[str]:
            command = [*on_machine(machine), sys.executable, "-m", "tdw_workbench.cli", *arguments]
            return subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                start_new_session=True,
            )  # fmt: skip

        def said(process: subprocess.Popen[str]) -> str:
            text, _ = process.communicate(timeout=240)
            assert process.returncode == 0, text[-3000:]
            return text

        killed, lives = (start(name, "fill", "--workers", "1") for name in ("machine1", "machine2"))
        try:
            deadline = time.monotonic() + 200
            while not list(store.glob("*/*/checkpoints/*.safetensors")):
                assert time.monotonic() < deadline and killed.poll() is None
                time.sleep(0.1)
            os.killpg(killed.pid, signal.SIGKILL)
            said(lives)
            said(start("machine2", "fill", "--workers", "1"))  # what the dead one held meanwhile
            assert demo["recorded_twice"](address) == []
            assert "all sound" in said(start("machine2", "verify"))
            assert len(list(store.glob("*/*/coarseness/*.safetensors"))) == 4 * 5
        finally:
            for process in (killed, lives):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
