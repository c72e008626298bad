"""Every name of Dagster below its public API that we use: the one module that imports `dagster._...`.

Two layers use it, this one and `tdw_assets`; the seams of `dagster_webserver` are in
`tdw_workbench.web.webserver`. tests/contract/test_dagster_internals.py names what is pinned, the methods that
we override or call included, and says what to do when an upgrade of Dagster moves one.
"""
# ruff: noqa: F401

from typing import Any, cast

import dagster as dg
from dagster._config.config_schema import UserConfigSchema
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.events import (
    ASSET_EVENTS,
    AssetMaterializationPlannedData,
    DagsterEventBatchMetadata,
    StepMaterializationData,
    generate_event_batch_id,
)
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus, PartitionBackfill
from dagster._core.instance import InstanceRef, InstanceType
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.launcher.sync_in_memory_run_launcher import SyncInMemoryRunLauncher
from dagster._core.run_coordinator import DefaultRunCoordinator
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult, ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, deserialize_value
from dagster_shared.check import CheckError
from dagster_shared.serdes.errors import DeserializationError

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
DEFER_EVENTS = "dagster/defer_asset_events"
"""A run with this tag announces and records its cells itself; Dagster adds no event of its own."""


def defer_events_from_now(context: dg.AssetExecutionContext) -> None:
    """Keep Dagster from recording the outputs of a running op: its cells are recorded already.

    Dagster reads the tag from the run that it holds in memory when it handles an output, so the stored run
    stays as it was asked for.
    """
    cast("dict[str, str]", context.run.tags)[DEFER_EVENTS] = "true"


def log_check(context: dg.AssetCheckExecutionContext, evaluation: dg.AssetCheckEvaluation) -> None:
    """Record a check now, for one partition or for all, whatever partition the run has (preview in 1.13)."""
    context.op_execution_context.log_event(cast("Any", evaluation))
