"""The code location: light to load, complete, and the same by every way to start it."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "numba", "pandas", "scipy", "plotly", "matplotlib", "transformer_lens", "pyarrow")


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOAD = "import sys, os, tdw_assets.definitions as location; "


def test_importing_the_code_location_does_nothing_but_import_dagster() -> None:
    code = LOAD + "print([m for m in sys.modules if m.split('.')[0] in ('tdw', 'tdw_resources', 'numpy')])"
    assert run(code) == "[]"


def test_loading_the_definitions_imports_nothing_heavy() -> None:
    code = LOAD + f"location.defs().get_repository_def(); print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "[]"


def test_the_command_line_imports_nothing_heavy_before_it_works() -> None:
    heavy = f"[m for m in {HEAVY} if m in sys.modules]"
    code = f"import sys; from tdw_workbench.cli import build_parser; build_parser(); print({heavy})"
    assert run(code) == "[]"


def test_work_runs_with_one_thread_a_process() -> None:
    code = LOAD + "os.environ.pop('OMP_NUM_THREADS', 0); location.defs(); "
    assert run(code + "print(os.environ['OMP_NUM_THREADS'], os.environ['NUMBA_NUM_THREADS'])") == "1 1"


@pytest.mark.slow
@pytest.mark.ci
def test_dagsters_own_commands_load_the_workspace() -> None:
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation successful" in done.stdout + done.stderr
