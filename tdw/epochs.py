"""Lists of epochs as people write them: numbers and ranges with both ends included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tdw.errors import BadConfig

MAX_EPOCH = 99_999_999
MAX_EPOCHS = 1_000_000
_NUMBER = re.compile(r"[0-9]{1,8}")
_RANGE = re.compile(r"([0-9]{1,8}):([0-9]{1,8})(?::([0-9]{1,8}))?")
_REMEDY = (
    'write epochs as numbers (2000) or as ranges "start:stop:step" with both ends included ("0:1500:100")'
)


def parse_epochs(items: Sequence[int | str] | int | str) -> tuple[int, ...]:
    """The epochs that `items` name, ascending, each once.

    Args:
        items: whole numbers, or texts: "2000", "0:1500:100" (0, 100, ..., 1500), "0:1500" (every epoch), or
            several joined by commas. A range's stop is included even where the step misses it.

    Raises:
        BadConfig: names the item that can't be read.
    """
    listed = (items,) if isinstance(items, (int, str)) else items
    epochs: set[int] = set()
    for item in listed:
        parts = item.split(",") if isinstance(item, str) else (item,)
        for part in parts:
            epochs.update(_parse_one(part))
            if len(epochs) > MAX_EPOCHS:
                raise BadConfig(
                    f"{item!r} brings the schedule to over {MAX_EPOCHS} epochs", "use a wider step"
                )
    return tuple(sorted(epochs))


def _parse_one(item: object) -> Iterable[int]:
    if isinstance(item, int) and not isinstance(item, bool):
        if not 0 <= item <= MAX_EPOCH:
            raise BadConfig(f"epoch {item} is out of range", f"use epochs from 0 to {MAX_EPOCH}")
        return (item,)
    if not isinstance(item, str):
        raise BadConfig(f"{item!r} is not an epoch", _REMEDY)
    text = item.strip()
    if _NUMBER.fullmatch(text):
        return (int(text),)
    match = _RANGE.fullmatch(text)
    if match is None:
        raise BadConfig(f"{item[:80]!r} is not an epoch or a range of epochs", _REMEDY)
    start, stop, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if stop < start:
        raise BadConfig(f"the range {item!r} ends before it starts", f'write "{stop}:{start}:{max(step, 1)}"')
    if step == 0:
        raise BadConfig(f"the range {item!r} has a step of 0", "use a step of at least 1")
    if (stop - start) // step >= MAX_EPOCHS:
        raise BadConfig(f"the range {item!r} holds over {MAX_EPOCHS} epochs", "use a wider step")
    return (*range(start, stop, step), stop)


def format_epochs(epochs: Iterable[int]) -> str:
    """A short text that `parse_epochs` reads back: "0:1500:100, 2000".

    Three or more epochs at one distance are written as a range.
    """
    rest = sorted(set(epochs))
    parts: list[str] = []
    while rest:
        run = _run_length(rest)
        if run >= 3:
            step = rest[1] - rest[0]
            parts.append(f"{rest[0]}:{rest[run - 1]}" + (f":{step}" if step > 1 else ""))
        else:
            run = 1
            parts.append(str(rest[0]))
        rest = rest[run:]
    return ", ".join(parts)


def _run_length(epochs: Sequence[int]) -> int:
    """How many of the first epochs are evenly spaced."""
    if len(epochs) < 3:
        return len(epochs)
    step = epochs[1] - epochs[0]
    run = 2
    while run < len(epochs) and epochs[run] - epochs[run - 1] == step:
        run += 1
    return run
