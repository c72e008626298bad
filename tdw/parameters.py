"""What the parameters of analyzers and summaries have in common: checks, and overrides from a study file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

from tdw.errors import BadConfig


def require(holds: bool, field: str, value: object, *, wanted: str) -> None:
    """Refuse a parameter's value.

    Raises:
        BadConfig: names the field, the value and what is wanted instead.
    """
    if not holds:
        raise BadConfig(f"parameter {field} = {value!r} can't be used", f"give {wanted}")


def is_number(value: object) -> bool:
    """Whether `value` is a finite int or float; booleans are not numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def is_count(value: object, *, least: int = 1) -> bool:
    """Whether `value` is an int of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_share(value: object) -> bool:
    """Whether `value` is a number in [0, 1]."""
    return is_number(value) and 0 <= value <= 1  # type: ignore[operator]


def is_text(value: object) -> bool:
    """Whether `value` is a string."""
    return isinstance(value, str)


def is_texts(value: object) -> bool:
    """Whether `value` is a tuple of strings."""
    return isinstance(value, tuple) and all(map(is_text, cast("tuple[object, ...]", value)))


def as_json(parameters: Any) -> dict[str, Any]:
    """A parameters dataclass as it stands in a provenance record: fields by name, tuples as lists."""
    values: dict[str, Any] = dataclasses.asdict(parameters)
    return {key: _listed(value) for key, value in values.items()}


def override(owner: str, defaults: type[Any], values: Mapping[str, Any]) -> Any:
    """The parameters of `owner`, with some fields changed.

    Args:
        owner: name of the analyzer or summary, for messages.
        defaults: its frozen parameters dataclass.
        values: field -> value; lists stand for tuples, since YAML has no tuples.

    Raises:
        BadConfig: a field it does not have, or a value it can't use; names both.
    """
    known = [field.name for field in dataclasses.fields(defaults)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise BadConfig(
            f"{owner} has no parameter {', '.join(map(repr, unknown))}",
            f"it has: {', '.join(known)}" if known else "it takes none",
        )
    given = {key: _frozen(value) for key, value in values.items()}
    try:
        return defaults(**given)
    except BadConfig as error:
        raise BadConfig(f"{owner}: {error.what}", error.remedy) from error


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value  # type: ignore[arg-type]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # type: ignore[arg-type]


def require_whole_numbers(config: object, limits: Mapping[str, tuple[int, int]]) -> None:
    """Refuse fields of a configuration that are no whole numbers within their limits, both included.

    Raises:
        BadConfig: names the field, its value and what can be used.
    """
    for name, (low, high) in limits.items():
        value: object = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadConfig(f"{name} is {value!r}, not a whole number", f"give {name} as an integer")
        if not low <= value <= high:
            raise BadConfig(f"{name} is {value}", f"use a {name} from {low} to {high}")
