"""A refusal that knows its path in a file, so that the reader of the file can name the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tdw.errors import BadConfig, TdwError

T = TypeVar("T")
Where = tuple[str | int, ...]


class At(BadConfig):
    """A refusal that knows its path in the file."""

    def __init__(self, where: Where, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.where = where


def at(where: Where, make: Callable[[], T]) -> T:
    """What `make` returns; an error of ours in it is raised with the path."""
    try:
        return make()
    except At:
        raise
    except TdwError as error:
        raise At(where, error.what, error.remedy) from error
