"""What became of a product that was to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tdw.epochs import format_epochs
from tdw.errors import TdwError
from tdw.inventory.versions import DataVersion

_SHOWN = 20


@dataclass(frozen=True)
class Done:
    """A product that is committed.

    Attributes:
        name: of the product.
        variant: "" for what covers all variants.
        epoch: None for what covers all epochs.
        metadata: a few numbers for people.
        path: of its file.
    """

    name: str
    variant: str
    epoch: int | None
    version: DataVersion
    metadata: Mapping[str, float | int | str]
    path: str


@dataclass(frozen=True)
class Failed:
    """A product that could not be made; `variant` and `epoch` as in `Done`."""

    name: str
    variant: str
    error: Exception
    epoch: int | None = None


def list_failures(failed: Iterable[Failed]) -> str:
    """A Markdown list; cells that failed for one reason are named together."""
    reasons: dict[tuple[str, str, str], list[int]] = {}
    for one in failed:
        # Our own errors speak for themselves; others need their type.
        kind = "" if isinstance(one.error, TdwError) else f"{type(one.error).__name__}: "
        epochs = reasons.setdefault((one.name, one.variant, f"{kind}{one.error}"), [])
        epochs += [one.epoch] if one.epoch is not None else []
    lines = [
        f"- {name} of {variant or 'all variants'}"
        f"{f' at epoch {format_epochs(epochs)}' if epochs else ''}: {why}"
        for (name, variant, why), epochs in list(reasons.items())[:_SHOWN]
    ]
    more = [f"- and {len(reasons) - _SHOWN} more reasons"] if len(reasons) > _SHOWN else []
    return "\n".join([*lines, *more])
