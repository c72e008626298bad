"""The documents say what the code does: generated pages are current, links lead somewhere."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_the_reference_is_what_the_registries_say() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "write-reference"))
    assert (ROOT / "docs" / "reference.md").read_text() == script["render"](), "run scripts/write-reference"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:|/tdw/)([^)\s#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([a-z-]+)", (ROOT / "README.md").read_text()):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_architecture_names_every_folder_of_code() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    folders = [path.parent for path in ROOT.glob("tdw*/*/__init__.py")]
    assert folders
    assert [str(f.relative_to(ROOT)) for f in folders if not re.search(rf"\b{f.name}\b[`/]", page)] == []


def test_a_folder_holds_about_a_dozen_modules_at_most() -> None:
    """Of code; fourteen is the most that there is, a module more asks for a folder."""
    folders = {path.parent for name in ("tdw", "tdw_resources", "tdw_assets", "tdw_workbench")
               for path in (ROOT / name).rglob("*.py")}  # fmt: skip
    many = {str(f.relative_to(ROOT)): len(list(f.glob("*.py"))) for f in folders}
    assert {name: count for name, count in many.items() if count > 14} == {}


def test_curvature_stands_beside_the_grokking_epochs_that_the_eight_models_have() -> None:
    studies = ROOT / "studies"
    table = pd.read_csv(studies / "eight_models" / "results" / "tables" / "grokking.csv").set_index("variant")
    text = (studies / "initial_curvature" / "README.md").read_text()
    rows = re.findall(r"^\| (p\d+_s\d+) \|.*\| (.+) \|$", text, re.MULTILINE)
    epochs = {key: table.loc[f"{key}_d598", "grokking_epoch"] for key, _ in rows}
    assert len(rows) == 8
    assert dict(rows) == {
        key: "none by 25,000" if pd.isna(epoch) else f"{epoch:,.0f}" for key, epoch in epochs.items()
    }
