"""Progress in a terminal: a few lines that are painted over, or plain lines now and then in a file."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from tdw.training.progress import format_seconds

_PLAIN_EVERY_S = 15.0


class Screen:
    """What is finished scrolls by; below it, what is going on is painted over in place."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty()
        self._painted = 0
        self._last_plain = 0.0

    def say(self, line: str) -> None:
        """A line that stays."""
        self._wipe()
        self._stream.write(line + "\n")
        self._stream.flush()

    def paint(self, lines: Sequence[str]) -> None:
        """What is going on now, in place of what was painted before."""
        if self._live:
            self._wipe()
            width = shutil.get_terminal_size().columns - 1
            for line in lines:
                self._stream.write(line[:width] + "\n")
            self._painted = len(lines)
            self._stream.flush()
        elif lines and time.monotonic() - self._last_plain >= _PLAIN_EVERY_S:
            self._last_plain = time.monotonic()
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Leave what stays, remove what was painted."""
        self._wipe()
        self._stream.flush()

    def _wipe(self) -> None:
        if self._live and self._painted:
            self._stream.write(f"\x1b[{self._painted}A\x1b[J")
            self._painted = 0


def bar(fraction: float, width: int = 24) -> str:
    """A bar such as ########----------------."""
    filled = round(min(1.0, max(0.0, fraction)) * width)
    return "#" * filled + "-" * (width - filled)


def overall(fraction: float, seconds_left: float | None, elapsed: float) -> str:
    """The line that sums up."""
    left = f"about {format_seconds(seconds_left)} left" if seconds_left is not None else "estimating"
    return f"[{bar(fraction)}] {fraction:4.0%}  {format_seconds(elapsed)} so far, {left}"


def count(number: int, noun: str, plural: str = "") -> str:
    """1 cell, 2 cells, 1,000 cells."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
