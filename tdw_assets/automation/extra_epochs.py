"""Extra epochs of studies with an adaptive rule, as the grid of cells has them, and when they are chosen.

The first pass is the study's schedule. When nothing of it is left to train, the choice is made; its epochs
are wanted cells of every variant from then on, filled by replay like any other gap: the second pass. A
variant that can't be trained holds nobody up: the choice is made without it, and once more when it is done.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import dagster as dg

from tdw.store import Store
from tdw.study.extra_epochs import Choice, basis, choose, find_trained, read_choice
from tdw_assets.automation.attempts import judge
from tdw_assets.automation.work_in_progress import find_busy
from tdw_assets.cells.wanted import Grid
from tdw_assets.recording.event_records import inventory_of


@dataclass(frozen=True)
class Settled:
    """How a study's choice stands.

    Attributes:
        grid: with the extra epochs in force.
        choice: None before the first one.
        trained: variants that the next one would rest on.
        waits_for: variants whose training comes before it; () when none is due.
    """

    grid: Grid
    choice: Choice | None
    trained: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()

    @property
    def due(self) -> bool:
        """Whether there is to be a choice, the first or another."""
        study = self.grid.study
        if study.adaptive is None:
            return False
        return self.choice is None or self.choice.basis != basis(study, self.trained)


def look(grid: Grid, store: Store) -> Settled:
    """How the choice stands; nothing is chosen. Looks at file names and one small file."""
    study = grid.study
    if study.adaptive is None:
        return Settled(grid, None)
    choice = read_choice(store, study)
    trained = find_trained(store, study, grid.variants)
    return Settled(grid.extend(choice.epochs if choice else ()), choice, tuple(trained))


def settle(
    grid: Grid, instance: dg.DagsterInstance, store: Store, *, given_up: Collection[str] = ()
) -> Settled:
    """Make the choice if it is due: its basis has changed, and no variant can be trained further.

    Args:
        grid: of all registered variants, or of a study without a rule; then nothing is done.
        instance: whose runs tell what was tried.
        store: with the histories; the choice is committed to it.
        given_up: variants whose training has just failed. Others are given up by `attempts.judge`.

    Raises:
        CorruptFile: a history that the choice would rest on is damaged.
        StoreError: the choice can't be written.
    """
    found = look(grid, store)
    if not found.due:
        return found
    trained = found.trained
    rest = [variant for variant in grid.variants if variant not in trained]
    waits_for = rest
    if trained:
        waits_for = _still_training(found.grid, instance, store, [v for v in rest if v not in given_up])
    if waits_for:
        return replace(found, waits_for=tuple(waits_for))
    made = choose(store, grid.study, trained)
    if made is None:  # a history is behind its checkpoint: that variant's run has not ended
        return replace(found, waits_for=trained)
    return Settled(grid.extend(made.epochs), made, trained)


def _still_training(
    grid: Grid, instance: dg.DagsterInstance, store: Store, variants: Collection[str]
) -> list[str]:
    """Those that are being trained, else the first that can be: one is reason enough to wait."""
    if not variants:
        return []
    busy = find_busy(instance)
    worked_on = [variant for variant in variants if busy.everything or variant in busy.variants]
    if worked_on:
        return worked_on
    for variant in variants:
        inventory = inventory_of(grid, instance, store)
        if judge(instance, [inventory.task("train", inventory.gaps_of(variant))]).task is not None:
            return [variant]
    return []
