"""Puts the definitions of studies together."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tdw.study import Study, require_together
from tdw_assets.assets.definitions import study_assets
from tdw_assets.automation.schedules import nightly_schedules
from tdw_assets.automation.sensor import reconcile_sensor
from tdw_assets.cells.wanted import Grid
from tdw_assets.checks.asset_checks import cell_checks
from tdw_assets.jobs import check_job, register_variants_job, remove_variant_job, stage_jobs
from tdw_resources.resources import ComputeResource, StoreResource


def build_defs(*studies: Study | Grid, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions of studies (or of grids that were made wider than them). Imports no torch.

    Args:
        studies: all that one code location holds.
        resource_overrides: resources by name, in place of those that read the environment.

    Raises:
        BadConfig: studies that don't go together, such as two of one name.
    """
    grids = [study if isinstance(study, Grid) else Grid.of(study) for study in studies]
    require_together([grid.study for grid in grids])
    shared = dg.Definitions(
        resources={"store": StoreResource(), "compute": ComputeResource(), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(*map(_definitions, grids), shared)


def _definitions(grid: Grid) -> dg.Definitions:
    """Of one study."""
    jobs, check = stage_jobs(grid), check_job(grid)
    return dg.Definitions(
        assets=study_assets(grid),
        asset_checks=[cell_checks(grid)],
        jobs=[*jobs.values(), check, register_variants_job(grid), remove_variant_job(grid)],
        sensors=[reconcile_sensor(grid, {**jobs, "check": check})],
        schedules=nightly_schedules(grid, jobs),
    )
