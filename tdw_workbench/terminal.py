"""Progress in a terminal: a few lines that are painted over, or plain lines now and then in a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tdw.training.progress import format_seconds

_PLAIN_EVERY_S = 15.0
_WIDE = 400  # columns: a table is never squeezed, whether it goes to a narrow terminal, a file or a program


def is_agreed(question: str) -> bool:
    """Ask the person at the terminal; anything but a yes is a no."""
    print(f"{question} [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def has_person() -> bool:
    """Whether somebody at a terminal can answer."""
    return bool(sys.stdin and sys.stdin.isatty())


class Screen:
    """What is finished scrolls by; below it, what is going on is painted over in place."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stdout, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None
        self._last_plain = 0.0

    def say(self, line: str) -> None:
        """A line that stays."""
        self._console.print(line, soft_wrap=True)

    def paint(self, lines: Sequence[str]) -> None:
        """What is going on now, in place of what was painted before."""
        if self._console.is_terminal:
            if self._live is None:
                self._live = Live(
                    console=self._console,
                    auto_refresh=False,
                    transient=True,
                    redirect_stdout=False,
                    redirect_stderr=False,
                )
                self._live.start()
            self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)
        elif lines and time.monotonic() - self._last_plain >= _PLAIN_EVERY_S:
            self._last_plain = time.monotonic()
            self.say("\n".join(lines))

    def close(self) -> None:
        """Leave what stays, remove what was painted."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def format_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table, its first column to the left, the others to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="")
    for at, head in enumerate(heads):
        table.add_column(head, justify="right" if at else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(width=_WIDE, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


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
