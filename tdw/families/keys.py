"""Keys of variants: canonical both ways, and they name every field that differs from the family's default."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tdw.errors import BadConfig
from tdw.parameters import is_number
from tdw.recipes.family import Field

Configured = TypeVar("Configured")
_VALUE = re.compile(r"[A-Za-z0-9.+-]+")
_TYPES: dict[str, type[int] | type[float]] = {"int": int, "float": float}


@dataclass(frozen=True)
class KeyField:
    """How a key names a field: `mark` and the value, as in `lr0.003`.

    Attributes:
        name: of the configuration's field.
        mark: what stands before the value; "opt-" where the value is a word.
        help: of the field, for forms and messages.
        always: the key names it whatever its value.
    """

    name: str
    mark: str
    help: str
    always: bool = False


def normalize_numbers(config: Any) -> None:
    """Make whole numbers of a new configuration's float fields floats: 5 and 5.0 are one variant."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.type == "float" and is_number(value):
            object.__setattr__(config, field.name, float(value) + 0.0)  # -0.0 becomes 0.0


def make_key(config: Any, named: Sequence[KeyField]) -> str:
    """The canonical key, such as `k2_s0_lr0.01`."""
    defaults = {field.name: field.default for field in dataclasses.fields(config)}
    parts: list[str] = []
    for field in named:
        value = getattr(config, field.name)
        if field.always or value != defaults[field.name]:
            parts.append(f"{field.mark}{value!r}" if is_number(value) else f"{field.mark}{value}")
    return "_".join(parts)


def parse_key(kind: type[Configured], named: Sequence[KeyField], key: str) -> Configured:
    """The configuration that `key` names.

    Raises:
        BadConfig: not a key, or not the canonical one: two keys never name one model.
    """
    marks = ", ".join(f"{field.mark} ({field.name})" for field in named)
    example = "_".join(f"{field.mark}0" for field in named if field.always)
    remedy = f"keys look like {example}, with what differs from the defaults behind it: {marks}"
    fields: Any = dataclasses.fields(kind)  # pyright: ignore[reportArgumentType]
    types = {field.name: str(field.type) for field in fields}
    values: dict[str, Any] = {}
    for part in key[:400].split("_"):
        fitting = [field for field in named if part.startswith(field.mark) and part != field.mark]
        field = max(fitting, key=lambda each: len(each.mark), default=None)
        text = "" if field is None else part.removeprefix(field.mark)
        if field is None or field.name in values or not (text.isascii() and _VALUE.fullmatch(text)):
            raise BadConfig(f"{key[:80]!r} is not the key of a variant", remedy)
        try:
            values[field.name] = _TYPES.get(types[field.name], str)(text)
        except ValueError as error:
            raise BadConfig(
                f"{key[:80]!r} is not the key of a variant: {text!r} is no {field.name}", remedy
            ) from error
    missing = [field.name for field in named if field.always and field.name not in values]
    if missing:
        raise BadConfig(f"{key[:80]!r} is not the key of a variant: {', '.join(missing)} is missing", remedy)
    config: Any = kind(**values)
    if config.key != key:
        raise BadConfig(f"{key[:80]!r} is not how this variant is written", f"write {config.key}")
    return config


def fields_of(kind: type[Any], named: Sequence[KeyField]) -> tuple[Field, ...]:
    """The fields of a configuration as the family declares them."""
    found: Any = {field.name: field for field in dataclasses.fields(kind)}
    return tuple(
        Field(
            field.name,
            _TYPES.get(str(found[field.name].type), str),
            None if found[field.name].default is dataclasses.MISSING else found[field.name].default,
            field.help,
        )
        for field in named
    )
