"""The typed record stored beside every artifact: what it was made from, with what, by which code."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from typing import Any, cast

from tdw.errors import CorruptFile
from tdw.html_repr import html_fields
from tdw.store.fingerprints import canonical_json


@dataclass(frozen=True)
class Provenance:
    """Where an artifact comes from.

    Attributes:
        family, variant, epoch: what it is about; epoch is None for what covers all epochs, variant is ""
            for what covers several variants.
        name: "checkpoint", an analyzer's, a summary's or a plot's name.
        code_version, parameters: of the code that made it. `parameters` is JSON-able.
        variant_fingerprint, probe_fingerprint, checkpoint_fingerprint: 64 hex digits, "" where it has none.
        inputs: what a summary or plot was made from: input name -> version or fingerprint.
        environment: versions and settings that can change the bits ("torch", "tdw", "cpu", "threads", ...).
    """

    family: str
    variant: str
    name: str
    epoch: int | None = None
    code_version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    variant_fingerprint: str = ""
    probe_fingerprint: str = ""
    checkpoint_fingerprint: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def _repr_html_(self) -> str:
        return html_fields(f"{self.name} of {self.variant or 'several variants'}", dataclasses.asdict(self))

    def to_json(self) -> str:
        """Canonical JSON, as in the header of a file."""
        return canonical_json(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str, *, path: object) -> Provenance:
        """Read a header.

        Raises:
            CorruptFile: the header is not one of ours; names `path`.
        """
        try:
            values = json.loads(text)
            _require_types(values)
            return cls(**values)
        except (TypeError, ValueError, RecursionError) as error:
            raise CorruptFile(
                f"{path}: the provenance header is unreadable ({error})",
                "delete the file and fill the gap, or run `tdw verify --repair`",
            ) from error


@cache
def tdw_version() -> str:
    """Of the installed package, as `environment` records it; looked up once, since it is read from files."""
    return version("training-dynamics-workbench")


def _require_types(values: Any) -> None:
    """Raise TypeError for a value that is not what its field holds: files come from anywhere."""
    if not isinstance(values, dict):
        raise TypeError("it is no mapping")
    for name, value in cast("dict[str, Any]", values).items():
        if name == "epoch":
            fits = value is None or (type(value) is int and value >= 0)
        elif name in ("inputs", "environment"):
            fits = isinstance(value, dict) and all(
                isinstance(v, str) for v in cast("dict[str, Any]", value).values()
            )
        elif name == "parameters":
            fits = isinstance(value, dict)
        else:
            fits = isinstance(value, str)
        if not fits:
            shown = str(cast("object", value))
            raise TypeError(f"{name[:40]} is {shown[:40]!r}")
