"""Puts the definitions of studies together."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from tdw.study import Study, require_together
from tdw_assets.assets.definitions import study_assets
from tdw_assets.automation.schedules import nightly_schedules
from tdw_assets.automation.sensor import reconcile_sensor
from tdw_assets.checks.asset_checks import cell_checks
from tdw_assets.checks.claim_checks import claim_checks
from tdw_assets.checks.product_checks import product_checks
from tdw_assets.jobs import check_job, register_variants_job, remove_variant_job, stage_jobs
from tdw_resources.resources import ComputeResource, StoreResource
from tdw_resources.wanted import WantedAssets


def build_defs(
    *studies: Study | WantedAssets, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """All definitions of studies (or of what they want, made wider). Imports no torch.

    Args:
        studies: all that one code location holds.
        resource_overrides: resources by name, in place of those that read the environment.

    Raises:
        BadConfig: studies that don't go together, such as two of one name.
    """
    several = [study if isinstance(study, WantedAssets) else WantedAssets.of(study) for study in studies]
    require_together([wanted.study for wanted in several])
    shared = dg.Definitions(
        resources={"store": StoreResource(), "compute": ComputeResource(), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )
    return dg.Definitions.merge(*map(_definitions, several), shared)


def _definitions(wanted: WantedAssets) -> dg.Definitions:
    """Of one study."""
    jobs, check = stage_jobs(wanted), check_job(wanted)
    return dg.Definitions(
        assets=study_assets(wanted),
        asset_checks=[cell_checks(wanted), product_checks(wanted), *claim_checks(wanted)],
        jobs=[*jobs.values(), check, register_variants_job(wanted), remove_variant_job(wanted)],
        sensors=[reconcile_sensor(wanted, {**jobs, "check": check})],
        schedules=nightly_schedules(wanted, jobs),
    )
