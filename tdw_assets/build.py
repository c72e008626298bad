"""Puts the definitions of a study together."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tdw.study import Study
from tdw_assets.assets.definitions import study_assets
from tdw_assets.automation.schedules import nightly_schedules
from tdw_assets.automation.sensor import reconcile_sensor
from tdw_assets.cells.wanted import Grid
from tdw_assets.checks.asset_checks import cell_checks
from tdw_assets.jobs import check_job, register_variants_job, remove_variant_job, stage_jobs
from tdw_resources.resources import ComputeResource, StoreResource


def build_defs(study: Study | Grid, *, resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions of a study (or of a grid that was made wider than it). Imports no torch.

    Args:
        resource_overrides: resources by name, in place of those that read the environment.
    """
    grid = study if isinstance(study, Grid) else Grid.of(study)
    jobs = stage_jobs(grid)
    check = check_job()
    return dg.Definitions(
        assets=study_assets(grid),
        asset_checks=[cell_checks(grid)],
        jobs=[*jobs.values(), check, register_variants_job(grid), remove_variant_job(grid)],
        sensors=[reconcile_sensor(grid, {**jobs, "check": check})],
        schedules=nightly_schedules(grid, jobs),
        resources={"store": StoreResource(), "compute": ComputeResource(), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )
