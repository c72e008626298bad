"""Every runtime dependency is imported somewhere, and says in pyproject.toml what it is for."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tdw", "tdw_resources", "tdw_assets", "tdw_workbench")
# pandas finds its engine by itself.
_ELSEWHERE = {"pyarrow"}


def dependencies() -> list[str]:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return [re.split(r"[=<>~ \[]", entry)[0] for entry in listed]


def test_each_runtime_dependency_is_imported() -> None:
    text = "\n".join(path.read_text() for name in PACKAGES for path in (ROOT / name).rglob("*.py"))
    imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE))
    distributions = {
        distribution.lower()
        for package, names in packages_distributions().items()
        if package in imported
        for distribution in names
    }
    assert [name for name in dependencies() if name not in distributions | _ELSEWHERE] == []


def test_each_runtime_dependency_has_a_reason() -> None:
    lines = (ROOT / "pyproject.toml").read_text().splitlines()
    for name in dependencies():
        at = next(i for i, line in enumerate(lines) if re.match(rf'    "{name}["=<>]', line))
        beside = "#" in lines[at]
        above = any(line.startswith("    # Pinned") for line in lines[at - 3 : at])
        assert beside or above, f"{name}: say beside it what it is for"
