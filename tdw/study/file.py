"""The study file: YAML, and refusals that name the file and the line."""

# What YAML holds has no type until the model has checked it.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tdw.errors import BadConfig
from tdw.study.models import Study
from tdw.study.parse import is_folder, parse_study
from tdw.study.refusal import At, Where

STUDY_FILE = "study.yaml"


def load_study(path: str | Path) -> Study:
    """Read a study: a YAML file, or a folder with one called study.yaml.

    A study without a name is called like its file, or like the folder of a study.yaml.

    Raises:
        BadConfig: names file, line, path in the file, value and remedy.
    """
    file = Path(path)
    if file.is_dir():
        file = file / STUDY_FILE
    values, document = _read(file, "give the path of a YAML study file")
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise BadConfig(
            f"{file}: holds {type(values).__name__}, not a mapping of settings",
            "start from studies/quickstart/study.yaml",
        )
    values.setdefault("name", file.absolute().parent.name if file.name == STUDY_FILE else file.stem)
    if is_folder(values.get("family")):
        values["family"] = str(file.absolute().parent / values["family"])
    claims_file, claims_document = None, None
    if isinstance(values.get("claims"), str):
        claims_file = file.parent / values["claims"]
        line = _line(document, ("claims",))
        remedy = f"{file}:{line}: `claims` names it; give a path relative to this file"
        values["claims"], claims_document = _read(claims_file, remedy)
    try:
        return parse_study(values, folder=file.absolute().parent)
    except At as error:
        where, at = error.where, file
        if claims_file is not None and where[:1] == ("claims",):
            where, at, document = where[1:], claims_file, claims_document
        path = ".".join(map(str, where)) or "the file"
        raise BadConfig(f"{at}:{_line(document, where)}: {path}: {error.what}", error.remedy) from error


def _read(file: Path, remedy: str) -> tuple[Any, Any]:
    """The values of a YAML file, and its nodes, which know their lines."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{file}: can't be read ({error})", remedy) from error
    try:
        return yaml.load(text, Loader=_Loader), yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise BadConfig(f"{file}: not YAML: {error}", "correct the line that is named") from error


class _Loader(yaml.SafeLoader):
    """YAML without base-60 and octal numbers (`1:30:10` is a range, `00500` is 500) or keys given twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and the type are PyYAML's
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":int", ":timestamp"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is given twice", node.value[i][0].start_mark
                )
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def _line(document: Any, where: Where) -> int:
    """The line of a path in the file, or of the nearest part of it that is there."""
    node, line = document, 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
