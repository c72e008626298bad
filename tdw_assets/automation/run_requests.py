"""Planned runs as Dagster's sensors and schedules ask for them."""

from collections.abc import Mapping

import dagster as dg

from tdw.inventory.plan import Task
from tdw_assets.automation.planned_runs import plan_run
from tdw_resources.dagster_internals import UnresolvedAssetJobDefinition
from tdw_resources.runs.tags import AUTOMATION, REASON_TAG
from tdw_resources.wanted import WantedAssets

Jobs = Mapping[str, UnresolvedAssetJobDefinition]
PRIORITIES = {"check": "-1", "train": "0", "choose": "3", "analyze": "1", "summarize": "2", "compare": "3"}
"""What is nearly done goes first when runs queue up."""
_LONGEST = 500  # characters of a reason; the whole one is in the log of the tick


def run_request(wanted: WantedAssets, task: Task, *, attempt: int | str) -> dg.RunRequest:
    """A task as Dagster's sensors ask for it. The same attempt at the same gap is asked for once."""
    planned = plan_run(wanted, task)
    return dg.RunRequest(
        run_key=f"{task.stage}:{task.variant}:{task.request}:{attempt}",
        job_name=planned.job,
        run_config=dict(planned.run_config),
        asset_selection=list(planned.assets) or None,
        # Left open, a selection brings the assets' checks along, and with them their time and their pool.
        asset_check_keys=[] if planned.assets else None,
        partition_key=planned.partition_key,
        tags={
            **planned.tags,
            "dagster/priority": PRIORITIES[task.stage],
            **AUTOMATION,
            REASON_TAG: task.reason[:_LONGEST],
        },
    )
