"""The end of the study report: configuration, fingerprints, versions, the meaning of columns."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tdw.reports.evidence import Evidence
from tdw.reports.page import table
from tdw.store.fingerprints import canonical_json, fingerprint_json, short

_PACKAGES = ("training-dynamics-workbench", "torch", "numpy", "pandas", "transformer-lens", "dagster")


def appendix(evidence: Evidence, study: Mapping[str, Any] | None, *, about: str) -> str:
    """What was run, exactly, as Markdown; `about` says what the columns of the comparison are."""
    fingerprints = [[v.key, f"`{v.config.fingerprint}`"] for v in evidence.variants]
    configs = [v.config.to_dict() for v in evidence.variants]
    first = configs[0] if configs else {}
    shared = {name: value for name, value in first.items() if all(c.get(name) == value for c in configs)}
    versions = [[package, _version(package)] for package in _PACKAGES]
    marks = {f"{v.key}/{name}": mark for v in evidence.variants for name, mark in v.marks.items()}
    parts = ["## Appendix"]
    if study:
        parts += ["### The study", _settings(study)]
    parts += [
        "### Configuration that all variants share",
        _settings(shared),
        "### Fingerprints",
        table(["variant", "fingerprint of the configuration"], fingerprints),
        "### Versions that wrote this report",
        table(["package", "version"], [*versions, ["python", platform.python_version()]]),
        f"Inputs: {len(marks)} summaries, together `{short(fingerprint_json(marks))}`.",
        *([f"### Columns of the comparison\n\n{about}"] if about else []),
    ]
    return "\n\n".join(parts)


def _settings(values: Mapping[str, Any]) -> str:
    """A row a setting, nested ones as JSON."""
    return table(
        ["setting", "value"], [[name, f"`{canonical_json(value)}`"] for name, value in values.items()]
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
