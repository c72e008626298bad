"""Cells whose last attempt failed: announced by a run that has ended, and not recorded since."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from tdw_assets.cells.gaps import AssetGaps, VariantGaps
from tdw_assets.cells.wanted import Grid, split_key
from tdw_resources.liveness import STOPPED_TAG

_ENDED_BADLY = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)


def find_failed(
    grid: Grid, instance: dg.DagsterInstance, gaps: Mapping[str, VariantGaps]
) -> dict[str, dict[str, list[int]]]:
    """Variant -> asset name -> epochs, ascending, of cells that are not fine and failed when last tried."""
    found: dict[str, dict[str, list[int]]] = {variant: {} for variant in gaps}
    statuses: dict[str, bool] = {}
    for name in ("checkpoint", *grid.analyzers):
        log = instance.event_log_storage
        attempts = log.get_latest_asset_partition_materialization_attempts_without_materializations(
            grid.key(name)
        )
        for partition, (run_id, _) in attempts.items():
            variant, epoch = split_key(partition)
            if variant not in gaps or epoch not in _open(name, gaps[variant]):
                continue
            if run_id not in statuses:
                run = instance.get_run_by_id(run_id)
                stopped = run is not None and STOPPED_TAG in run.tags
                statuses[run_id] = run is None or (run.status in _ENDED_BADLY and not stopped)
            if statuses[run_id]:
                found[variant].setdefault(name, []).append(epoch)
    return {v: {name: sorted(epochs) for name, epochs in of.items()} for v, of in found.items() if of}


def _open(name: str, gaps: VariantGaps) -> set[int]:
    asset: AssetGaps = gaps.checkpoint if name == "checkpoint" else gaps.analyzers[name]
    return asset.to_fill(out_of_date=True)
