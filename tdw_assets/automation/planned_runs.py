"""Tasks of the plan as Dagster's runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from tdw.inventory.plan import STAGES, Task
from tdw.store import Store
from tdw_assets.assets.requested_cells import cells_config, range_tags
from tdw_assets.cells.as_it_is import as_it_is
from tdw_resources.runs.tags import gap, purpose
from tdw_resources.wanted import WantedAssets

OPS = {stage.name: stage.op for stage in STAGES}
_OF_VARIANT = ("train", "analyze", "summarize")


@dataclass(frozen=True)
class PlannedRun:
    """A run that would carry out a task.

    Attributes:
        job: name of the asset job.
        assets: that it selects; () for the whole job.
    """

    job: str
    assets: tuple[dg.AssetKey, ...]
    tags: Mapping[str, str]
    run_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    partition_key: str | None = None


def plan_run(wanted: WantedAssets, task: Task) -> PlannedRun:
    """The run of a task. Its tags find runs of the same purpose again; retries are ours, not Dagster's."""
    job, tags = (
        wanted.named(task.stage),
        purpose(wanted, stage=task.stage, variant=task.variant)
        | gap(wanted, task)
        | {"dagster/max_retries": "0"},
    )
    assets = tuple(map(wanted.key, task.names))
    if not task.cells:
        return PlannedRun(job, assets, tags, partition_key=task.variant or None)
    config = {"ops": {wanted.named(OPS[task.stage]): {"config": cells_config(task.variant, task.cells)}}}
    covered = range_tags(task.variant, set[int]().union(*task.cells.values()))
    return PlannedRun(job, assets, tags | covered, config)


def plan_next(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, variant: str
) -> PlannedRun | None:
    """The run that does what is to be done next of a variant, stopped or not; None for nothing."""
    inventory, _ = as_it_is(wanted, instance, store)
    gaps = inventory.gaps_of(variant)
    tasks = (inventory.task(stage, gaps) for stage in _OF_VARIANT)
    task = next((task for task in tasks if task is not None), None)
    return None if task is None else plan_run(wanted, task)
