"""What a fill would make, told before it is made; a person is asked when it is much."""

from __future__ import annotations

from tdw.training.progress import format_seconds
from tdw_workbench import terminal
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.terminal import Screen, count, format_table, has_person

ASK_ABOVE = 5_000
"""Cells: about what a variant of modular addition with 250 checkpoints and 20 analyzers has."""


def say_to_do(request: FillRequest, work: RemainingWork, screen: Screen) -> None:
    """A line per variant, and the sum."""
    name = request.read_study().name
    heads = (f"study {name}", "checkpoints", "analyses", "tables+plots", "of one core")
    rows = [
        (variant, *(f"{n:,}" for n in (of.checkpoints, of.analyses, of.tables)), format_seconds(of.seconds))
        for variant, of in work.to_do.items()
    ]
    if not work.variants:
        screen.say(f"Nothing is missing of study {name}: {count(work.cells_there, 'cell')} are there.")
        return
    for line in format_table(heads, rows):
        screen.say(line)
    cells, seconds = _sum(work)
    also = ", and what covers all variants" if ALL in work.variants else ""
    screen.say(f"In all {count(cells, 'cell')}{also}: about {format_seconds(seconds)} of one core.")
    if request.has_two_passes:
        screen.say("Extra checkpoints that are still to be chosen are not counted.")


def _sum(work: RemainingWork) -> tuple[int, float]:
    return sum(of.cells for of in work.to_do.values()), sum(of.seconds for of in work.to_do.values())


def is_agreed(request: FillRequest, work: RemainingWork, screen: Screen) -> bool:
    """Ask a person at a terminal before much is started; a program is not asked."""
    if _sum(work)[0] <= ASK_ABOVE or not has_person():
        return True
    say_to_do(request, work, screen)
    return terminal.is_agreed("Go on?")
