"""The jobs of a study: one a stage."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from tdw_assets.derived import derived_assets
from tdw_assets.grid import Grid


def stage_jobs(grid: Grid) -> list[UnresolvedAssetJobDefinition]:
    """train -> analyze -> summarize (tables and plots of a variant) -> compare (over all variants)."""
    derived = derived_assets(grid)
    of_variant = [asset.key(grid) for asset in derived if asset.scope == "variant"]
    of_all = [asset.key(grid) for asset in derived if asset.scope == "comparison"]
    selections = {
        "train": [grid.checkpoint],
        "analyze": [grid.key(name) for name in grid.analyzers],
        "summarize": of_variant,
        "compare": of_all,
    }
    return [dg.define_asset_job(name, selection=keys) for name, keys in selections.items() if keys]
