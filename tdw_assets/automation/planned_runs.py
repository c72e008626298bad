"""From gaps to runs, for sensor and `tdw fill`: at most one a variant and stage, whatever the pattern."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from tdw.store.fingerprints import fingerprint_json
from tdw_assets.assets.requested_cells import Cells, cells_config, range_tags
from tdw_assets.automation.tags import REQUEST_TAG, STAGE_TAG, STUDY_TAG, VARIANT_TAG
from tdw_assets.cells.gaps import VariantGaps
from tdw_assets.cells.products import DerivedGap, Standing
from tdw_assets.cells.wanted import Grid

CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class PlannedRun:
    """One run that would do what is missing.

    Attributes:
        study: its name as Dagster has it.
        stage: "train", "analyze", "summarize", "compare" or "check".
        variant: "" for what covers several variants.
        request: hash of the exact cells and their expected versions: the same gap has the same one.
        size: number of cells or tables.
    """

    study: str
    stage: str
    variant: str
    assets: tuple[dg.AssetKey, ...]
    request: str
    size: int
    run_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    partition_key: str | None = None
    range_tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def job(self) -> str:
        """Name of the asset job."""
        return f"{self.study}_{self.stage}"

    @property
    def purpose(self) -> dict[str, str]:
        """Tags of every run of this stage of this variant, whatever cells it is about."""
        own = {STUDY_TAG: self.study, STAGE_TAG: self.stage}
        return own | ({VARIANT_TAG: self.variant} if self.variant else {})

    @property
    def gap(self) -> dict[str, str]:
        """Tags of every run for the same gap."""
        return {STUDY_TAG: self.study, REQUEST_TAG: self.request}

    @property
    def tags(self) -> dict[str, str]:
        """Tags of the run. Retries are ours, not Dagster's."""
        return self.purpose | self.gap | {"dagster/max_retries": "0"} | dict(self.range_tags)


def plan_training(grid: Grid, gaps: VariantGaps, *, out_of_date: bool = True) -> PlannedRun | None:
    """The run that makes a variant's missing checkpoints and records its history; None when all is there."""
    epochs = gaps.to_train(out_of_date=out_of_date)
    if not epochs and gaps.history is None:
        epochs = tuple(sorted(gaps.checkpoint.recorded))[-1:]  # done; the run sees to the history alone
    if not epochs:
        return None
    return _cells_run(
        "train",
        "train_checkpoints",
        grid,
        gaps.variant,
        {CHECKPOINT: epochs},
        {CHECKPOINT: grid.checkpoint_spec(gaps.variant)},
    )


def plan_analysis(
    grid: Grid,
    gaps: VariantGaps,
    *,
    out_of_date: bool = True,
    analyzers: Collection[str] | None = None,
) -> PlannedRun | None:
    """The run that computes exactly a variant's missing cells; None when there are none."""
    cells = {
        name: epochs
        for name, epochs in gaps.to_analyze(out_of_date=out_of_date).items()
        if analyzers is None or name in analyzers
    }
    if not cells:
        return None
    below = gaps.checkpoint.recorded
    made_by = {
        name: [grid.analyzer_specs[name], *(below[epoch].content for epoch in epochs)]
        for name, epochs in cells.items()
    }
    return _cells_run("analyze", "analyze_checkpoints", grid, gaps.variant, cells, made_by)


def plan_derived(
    grid: Grid, standing: Standing, variant: str, *, names: Collection[str] | None = None
) -> PlannedRun | None:
    """The run that makes a variant's tables and plots (or, with "", those over all variants) anew.

    What is made from cells that are out of date is left: mixing them is refused, and they come first.

    Args:
        names: only these assets.
    """
    made: dict[str, DerivedGap] = {}
    for gap in standing.gaps:
        wanted = names is None or gap.asset.name in names
        behind = set(gap.stale_inputs) - made.keys()
        if gap.variant == variant and wanted and gap.state in ("missing", "out_of_date") and not behind:
            made[gap.asset.name] = gap
    if not made:
        return None
    return PlannedRun(
        study=grid.slug,
        stage="summarize" if variant else "compare",
        variant=variant,
        assets=tuple(gap.asset.key(grid) for gap in made.values()),
        request=fingerprint_json({name: [gap.asset.spec, gap.input] for name, gap in made.items()})[:16],
        size=len(made),
        partition_key=variant or None,
    )


def _cells_run(
    stage: str, op: str, grid: Grid, variant: str, cells: Cells, made_by: Mapping[str, Any]
) -> PlannedRun:
    return PlannedRun(
        study=grid.slug,
        stage=stage,
        variant=variant,
        assets=tuple(grid.key(name) for name in cells),
        request=fingerprint_json([{name: list(epochs) for name, epochs in cells.items()}, dict(made_by)])[
            :16
        ],
        size=sum(map(len, cells.values())),
        run_config={"ops": {grid.named(op): {"config": cells_config(variant, cells)}}},
        range_tags=range_tags(variant, set[int]().union(*cells.values())),
    )
