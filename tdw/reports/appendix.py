"""The end of the study report: configuration, fingerprints, versions, the meaning of columns."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tdw.markdown import table
from tdw.recipes.reading.evidence import Evidence
from tdw.store.fingerprints import canonical_json, fingerprint_json, short
from tdw.study import Study

_PACKAGES = ("training-dynamics-workbench", "torch", "numpy", "pandas", "transformer-lens", "dagster")


def appendix(evidence: Evidence, study: Study | None, *, about: str) -> str:
    """What was run, exactly, as Markdown; claims are left out, the report has them.

    Args:
        about: what the columns of the comparison are.
    """
    fingerprints = [[row.key, f"`{row.config.fingerprint}`"] for row in evidence.rows]
    configs = [row.fields for row in evidence.rows]
    first = configs[0] if configs else {}
    shared = {name: value for name, value in first.items() if all(c.get(name) == value for c in configs)}
    versions = [[package, _version(package)] for package in _PACKAGES]
    parts = ["## Appendix"]
    if study:
        settings = study.record()
        del settings["claims"]
        parts += ["### The study", _settings(settings)]
    parts += [
        "### Configuration that all variants share",
        _settings(shared),
        "### Fingerprints",
        table(["variant", "fingerprint of the configuration"], fingerprints),
        "### Versions that wrote this report",
        table(["package", "version"], [*versions, ["python", platform.python_version()]]),
        f"Inputs: {len(evidence.inputs)} summaries, together `{short(fingerprint_json(evidence.inputs))}`.",
        *([f"### Columns of the comparison\n\n{about}"] if about else []),
    ]
    return "\n\n".join(parts)


def _settings(values: Mapping[str, Any]) -> str:
    """One row per setting, nested ones as JSON."""
    return table(
        ["setting", "value"], [[name, f"`{canonical_json(value)}`"] for name, value in values.items()]
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
