"""The claims of a study as data: read, checked, and kept in a form that JSON can carry.

A claim has a kind of the library, or `kind: ./claims.py:my_rule`, a Python function beside the study file.
That file is opened only where a study file names it, and runs only when a report is written.
"""

# What a file holds has no type until the model has checked it.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tdw.errors import BadConfig
from tdw.recipes.common.pictures import pictures_of
from tdw.study.claim_kinds import KINDS
from tdw.study.refusal import At, Where, at

if TYPE_CHECKING:
    from tdw.recipes.family import Family

_PYTHON = re.compile(r"\./(?P<file>[\w./-]+\.py):(?P<function>[A-Za-z_]\w*)")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Model):
    """Sentences in place of those of the kind: templates over the claim's numbers. None keeps the kind's.

    Attributes:
        rule: how the verdict follows from the numbers.
        answer: what was found; `unknown` where there is too little to say it.
        control: what the control says.
        limits: what can't be concluded.
        would_change: what would change the verdict.
    """

    rule: str | None = None
    answer: str | None = None
    unknown: str | None = None
    control: str | None = None
    limits: str | None = None
    would_change: str | None = None


class Claim(_Model):
    """One claim of a study.

    Attributes:
        id: short and unique, such as "H2".
        group: heading of its section in the report.
        claim: what is judged, as a sentence.
        question: the question that the claim answers, "" for none.
        kind: of the library, or a Python function of the study.
        parameters: of the kind, checked; a claim in a file has them beside its other fields.
        words: sentences in place of the kind's.
        numbers: which of the kind's numbers are recorded, in this order; None for all.
        figures: printed figures of the family to show with it.
        file: path of the Python file of a function, "" for a kind of the library.
        code_version: of that file: the hash of what it holds.
    """

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    group: str = Field(min_length=1)
    claim: str = Field(min_length=1)
    question: str = ""
    kind: str
    parameters: dict[str, Any] = {}
    words: Words = Words()
    numbers: tuple[str, ...] | None = None
    figures: tuple[str, ...] = ()
    file: str = ""
    code_version: str = ""


_FIELDS = frozenset(Claim.model_fields) - {"parameters", "file", "code_version"}


def parse_claims(given: Any, family: Family, folder: Path | None) -> tuple[Claim, ...]:
    """Check a list of claims as a file has it.

    Args:
        given: mappings.
        family: whose fields, measures, controls and figures the claims name.
        folder: of the study file, where Python functions are looked for; None when there is no file.

    Raises:
        At: names the claim and what is wrong with it; its path begins with the number of the claim.
    """
    if not isinstance(given, list):
        raise At(
            (), f"holds {type(given).__name__}, not a list of claims", "list claims, each with id and kind"
        )
    found: list[Claim] = []
    for i, values in enumerate(given):
        claim = _parse(values, i, family, folder)
        if claim.id in [other.id for other in found]:
            raise At((i, "id"), f"claim {claim.id} is listed twice", "give each claim an id of its own")
        found.append(claim)
    return tuple(found)


def _parse(values: Any, i: int, family: Family, folder: Path | None) -> Claim:
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise At(
            (i,), f"holds {type(values).__name__}, not a claim", "give id, group, claim, kind and parameters"
        )
    name = str(values.get("id", f"number {i + 1}"))[:40]
    own = {key: value for key, value in values.items() if key in _FIELDS}
    rest = {key: value for key, value in values.items() if key not in _FIELDS}
    try:
        claim = Claim(**own, parameters=rest)
    except ValidationError as error:
        raise _refusal((i,), name, error, sorted(_FIELDS)) from error
    for figure in claim.figures:
        known = pictures_of(family)
        if figure not in known:
            what, remedy = f"{family.name} has no figure {figure!r}", f"use {', '.join(known)}"
            raise At((i, "figures"), f"claim {name}: {what}", remedy)
    if claim.kind not in KINDS:
        code = at((i, "kind"), lambda: _python(claim, folder))
        return claim.model_copy(update=code)
    read_parameters(claim, family, (i,))
    return claim


def read_parameters(claim: Claim, family: Family, where: Where = ()) -> Any:
    """The parameters of a claim as its kind's model.

    Raises:
        At: names the claim, the parameter and the remedy.
    """
    kind = KINDS[claim.kind]
    try:
        return kind.model_validate(claim.parameters, context={"family": family})
    except ValidationError as error:
        raise _refusal(where, claim.id, error, list(kind.model_fields), claim.kind) from error


def _refusal(where: Where, name: str, error: ValidationError, known: list[str], kind: str = "") -> At:
    """The first complaint of a model as a refusal with its path."""
    first = error.errors()[0]
    path = tuple(part for part in first["loc"] if isinstance(part, int) or part.isidentifier())
    dotted = ".".join(map(str, path))
    if first["type"] == "missing":
        what = f"{dotted} is missing"
    elif first["type"] == "extra_forbidden":
        what = f"{dotted} is unknown"
    else:
        what = f"{dotted}: {first['msg'].removeprefix('Value error, ')}"
        what += "" if first["type"] == "value_error" else f", got {first['input']!r}"[:120]
    of = f" of kind {kind}" if kind else ""
    return At((*where, *path), f"claim {name}: {what}", f"correct it; a claim{of} has {', '.join(known)}")


def _python(claim: Claim, folder: Path | None) -> dict[str, str]:
    """Where the Python function of a claim stands, and the hash of its file."""
    match = _PYTHON.fullmatch(claim.kind)
    if match is None:
        raise BadConfig(
            f"claim {claim.id}: no kind is called {claim.kind[:80]!r}",
            f"use one of {', '.join(KINDS)}, or a function beside the study file: ./claims.py:my_rule",
        )
    if not (claim.words.rule and claim.words.answer):
        raise BadConfig(
            f"claim {claim.id}: {claim.kind} has no words of its own",
            "give the claim `words` with rule and answer",
        )
    if folder is None:
        raise BadConfig(
            f"claim {claim.id}: {claim.kind} is relative to a study file, and there is none",
            "load the study from its file",
        )
    file = (folder / match["file"]).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise BadConfig(
            f"claim {claim.id}: {claim.kind} leaves the folder of the study file",
            "put the Python file beside the study file",
        )
    return {"file": str(file), "code_version": file_version(claim.id, file)}


def file_version(claim: str, file: Path) -> str:
    """The hash of what the Python file of a claim holds.

    Raises:
        BadConfig: it can't be read.
    """
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    except OSError as error:
        raise BadConfig(f"claim {claim}: {file}: can't be read ({error})", "put the file there") from error
