"""Ctrl-C as an exception of our own.

CPython exits with signal 2 when a plain KeyboardInterrupt has passed through a string that is executed, even
if it is caught later; dataclasses and named tuples are made that way, so an interrupted import is enough. A
subclass does not have that effect.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn


class Stopped(KeyboardInterrupt):
    """A person wants this to end."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    raise Stopped


def take_signals(*numbers: signal.Signals) -> None:
    """Let these signals raise `Stopped`.

    Started with `&` from a script, SIGINT is ignored, and children inherit that: nothing could be stopped.
    """
    for number in numbers:
        signal.signal(number, _stop)
