"""The tutorial notebook (R4) runs from its first cell to its last, and finds what it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


def test_it_is_kept_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code and not any(cell.outputs or cell.execution_count for cell in code)


@pytest.mark.slow
@pytest.mark.ci
def test_every_cell_runs_and_the_finding_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("TDW_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=250, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = [output.data for output in outputs if "data" in output]
    assert sum("application/vnd.plotly.v1+json" in data or "plotly" in str(data) for data in shown) >= 3
    assert any("27, epochs 0 to 1300" in data.get("text/html", "") for data in shown)
    assert any(data.get("text/plain") == "12" for data in shown)  # 5 + 7
    found = ast.literal_eval(shown[-1]["text/plain"])
    assert found["memorized"] < 200 < 600 < found["grokked"] < 1300
    assert re.fullmatch(r"\d+( \d+)*", found["frequencies"])
