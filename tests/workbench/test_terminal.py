"""Progress and tables in a terminal and in a file."""

from __future__ import annotations

import io
import os
import pty

import pytest

from tdw_workbench.terminal import Screen, format_table


def test_a_file_gets_what_stays_and_no_escape_codes() -> None:
    stream = io.StringIO()
    screen = Screen(stream)
    screen.say("[bold]done[/bold] " + "x" * 300)
    screen.paint(["[####]  10%"])
    screen.paint(["[####]  11%"])
    screen.close()
    # One painted line now and then; what is said is neither styled nor wrapped.
    assert stream.getvalue() == "[bold]done[/bold] " + "x" * 300 + "\n[####]  10%\n"


def test_in_a_terminal_what_is_going_on_is_painted_over_and_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    mine, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        screen = Screen(stream)
        screen.paint(["10%"])
        screen.paint(["20%"])
        screen.say("done")
        screen.close()
        stream.write("<end>")
        stream.flush()
        shown = ""
        while "<end>" not in shown:  # one read may return a part
            shown += os.read(mine, 65536).decode()
    os.close(mine)
    shown = shown.removesuffix("<end>")
    assert shown.index("10%") < shown.index("20%") < shown.index("done")
    assert shown.rstrip().endswith("\x1b[2K"), "the painted line is wiped at the end"
    assert "\x1b[?25h" in shown, "the cursor is shown again"


def test_a_table_is_aligned_and_never_squeezed() -> None:
    wide = "x" * 200
    lines = format_table(("", "cells", "missing"), [("p113_s485_d598", "95/95", "-"), (wide, "1/1", "3")])
    assert [line.split() for line in lines if "─" not in line] == [
        ["cells", "missing"],
        ["p113_s485_d598", "95/95", "-"],
        [wide, "1/1", "3"],
    ]
    assert {len(line) for line in lines} == {len(lines[0])}
