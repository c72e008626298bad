"""More checkpoints of one variant, beside those of its study, and the run that makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tdw.inventory.products import CHECKPOINT
from tdw.training.stretches import plan_stretches

if TYPE_CHECKING:
    from tdw_assets.automation.planned_runs import PlannedRun
    from tdw_resources.wanted import WantedAssets

DENSIFY = "densify"
"""In place of a stage's name in the tags of such a run: no other run has the same purpose."""


@dataclass(frozen=True)
class MoreCheckpoints:
    """What is missing of some epochs of a variant.

    Attributes:
        cells: product name -> epochs to be made or recorded, ascending.
        states: epochs of the saved states that a replay can start from.
    """

    variant: str
    cells: Mapping[str, tuple[int, ...]]
    states: tuple[int, ...] = field(default=(), repr=False)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Epochs whose checkpoint is new."""
        return self.cells.get(CHECKPOINT, ())

    @property
    def analyses(self) -> int:
        """How many outputs of analyzers are new."""
        return sum(map(len, self.cells.values())) - len(self.checkpoints)

    @property
    def steps(self) -> int:
        """Optimizer steps of the replay that they take."""
        asked = ((epoch, epoch) for epoch in self.checkpoints)
        return sum(stretch.steps for stretch in plan_stretches(asked, self.states))

    def _around(self, grid: Sequence[int]) -> tuple[int, int]:
        """Epochs of the study's grid that enclose them: Dagster takes no others for the range of a run."""
        asked = set[int]().union(*self.cells.values())
        before = [epoch for epoch in grid if epoch <= min(asked)]
        after = [epoch for epoch in grid if epoch >= max(asked)]
        return (before or grid)[-1 if before else 0], (after or grid)[0 if after else -1]

    def run(self, wanted: WantedAssets) -> PlannedRun:
        """The run that makes them: it trains, then analyzes.

        Dagster starts it again when its worker dies, since automation wants none of these cells.
        """
        from tdw_assets.assets.requested_cells import cells_config, range_tags
        from tdw_assets.automation.planned_runs import OPS, PlannedRun
        from tdw_resources.dagster_internals import IMPLICIT_ASSET_JOB_NAME
        from tdw_resources.runs.tags import purpose

        parts: dict[str, dict[str, tuple[int, ...]]] = {}
        for name, epochs in self.cells.items():
            parts.setdefault(OPS[wanted.product(name).stage], {})[name] = epochs
        return PlannedRun(
            job=IMPLICIT_ASSET_JOB_NAME,
            assets=tuple(map(wanted.key, self.cells)),
            tags=purpose(wanted, stage=DENSIFY, variant=self.variant)
            | range_tags(self.variant, self._around(wanted.study.epoch_list)),
            run_config={
                "ops": {
                    wanted.named(op): {"config": cells_config(self.variant, cells)}
                    for op, cells in parts.items()
                }
            },
        )
