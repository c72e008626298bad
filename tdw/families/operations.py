"""Operations on the residues modulo p that a network may learn. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tdw.errors import BadConfig


@dataclass(frozen=True)
class Operation:
    """One operation.

    Attributes:
        formula: of the answer before it is reduced, such as "a + b".
        compute: (a, b) -> the answer before it is reduced; whole numbers or integer arrays.
        linear: (m, n) where the answer is m a + n b, a phase that Fourier components of a and b can add up
            to; None where it is no linear function.
    """

    formula: str
    compute: Callable[[Any, Any], Any]
    linear: tuple[int, int] | None = None

    @property
    def balanced(self) -> bool:
        """Whether each of the p answers belongs to p pairs, so that pairs with one answer form classes of one
        size: of the operations here, those that are linear.
        """
        return self.linear is not None


OPERATIONS = {
    "add": Operation("a + b", lambda a, b: a + b, linear=(1, 1)),
    "subtract": Operation("a − b", lambda a, b: a - b, linear=(1, -1)),
    "multiply": Operation("a b", lambda a, b: a * b),
    "squares": Operation("a² + b²", lambda a, b: a * a + b * b),
    "quadratic": Operation("a² + a b + b²", lambda a, b: a * a + a * b + b * b),
}
"""By name. Power et al. 2022 (arXiv:2201.02177) train on all but the first, among others."""
FORMULAS = ", ".join(f"{name} ({operation.formula})" for name, operation in OPERATIONS.items())
"""All of them, for people."""


def require_operation(name: object) -> None:
    """Raise BadConfig unless `name` is an operation's."""
    if name not in OPERATIONS:
        raise BadConfig(f"operation is {name!r}", f"use one of: {FORMULAS}")


class HasTask(Protocol):
    """A configuration of which an operation is a part."""

    @property
    def task(self) -> Operation:
        """The operation."""
        ...


def unequal_answers(config: HasTask) -> str:
    """Why an analysis that takes classes of pairs with one answer refuses a variant; "" where it doesn't."""
    if config.task.balanced:
        return ""
    return (
        f"the answers of {config.task.formula} mod p are not equally frequent, so they form no equal classes"
    )


def not_linear(config: HasTask) -> str:
    """Why an analysis that adds up phases of a and b refuses a variant; "" where it doesn't."""
    if config.task.linear is not None:
        return ""
    return f"{config.task.formula} is no linear function of a and b, so phases of a and b do not add up to it"
