"""What we use of Dagster below its public API, by name. When one fails after an upgrade: see ADVICE."""

import ast
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tdw_resources import dagster_internals as internals
from tdw_resources.event_storage import BatchingSqliteEventLogStorage
from tdw_resources.kept_engines import (
    KeptEngineEventLogStorage,
    KeptSqliteRunStorage,
    KeptSqliteScheduleStorage,
)
from tdw_resources.postgres_event_storage import BatchingPostgresEventLogStorage
from tdw_resources.reading import _ReadOnlyEvents
from tdw_resources.run_launcher import LocalRunLauncher
from tdw_resources.slurm_run_launcher import SlurmRunLauncher

ROOT = Path(__file__).parents[2]
MODULES = {
    "dagster": "tdw_resources/dagster_internals.py",
    "dagster_webserver": "tdw_workbench/web/webserver.py",
}
ADVICE = (
    "Dagster has changed below its public API. Go back to the pinned version, or change "
    "tdw_resources/dagster_internals.py and what uses the name, run `make faults`, and raise the pin."
)

OVERRIDDEN = [
    (KeptEngineEventLogStorage, "_connect"),
    (KeptEngineEventLogStorage, "has_table"),
    (KeptSqliteRunStorage, "config_type"),
    (KeptSqliteRunStorage, "from_config_value"),
    (KeptSqliteRunStorage, "connect"),
    (KeptSqliteScheduleStorage, "config_type"),
    (KeptSqliteScheduleStorage, "from_config_value"),
    (KeptSqliteScheduleStorage, "connect"),
    (BatchingSqliteEventLogStorage, "_connect"),
    (BatchingSqliteEventLogStorage, "dispose"),
    (BatchingSqliteEventLogStorage, "store_event_batch"),
    (BatchingSqliteEventLogStorage, "wipe_asset_partitions"),
    (BatchingSqliteEventLogStorage, "from_config_value"),
    (BatchingSqliteEventLogStorage, "config_type"),
    (_ReadOnlyEvents, "conn_string_for_shard"),
    (LocalRunLauncher, "supports_check_run_worker_health"),
    (LocalRunLauncher, "check_run_worker_health"),
    (LocalRunLauncher, "terminate"),
    (LocalRunLauncher, "launch_run"),
    (SlurmRunLauncher, "launch_run"),
    (SlurmRunLauncher, "terminate"),
    (SlurmRunLauncher, "supports_check_run_worker_health"),
    (SlurmRunLauncher, "check_run_worker_health"),
    (BatchingPostgresEventLogStorage, "store_event_batch"),
    (BatchingPostgresEventLogStorage, "wipe_asset_partitions"),
    (BatchingPostgresEventLogStorage, "from_config_value"),
]
PRIVATE_ATTRIBUTES = {
    KeptEngineEventLogStorage: {"_db_lock", "_initdb", "_initialized_dbs"},
    KeptSqliteRunStorage: {"_conn_string"},
    KeptSqliteScheduleStorage: {"_conn_string"},
    BatchingSqliteEventLogStorage: {
        "_db_lock",
        "_event_to_row",
        "_store_asset_event",
        "_store_asset_event_tags",
    },
    _ReadOnlyEvents: {"_initialized_dbs"},
    LocalRunLauncher: {"_get_grpc_client_for_termination", "_instance"},
    SlurmRunLauncher: {"_instance"},
    BatchingPostgresEventLogStorage: {"_event_to_row", "_store_asset_event", "_store_asset_event_tags"},
}
CALLED_ON_THE_EVENT_LOG = [
    "get_latest_asset_partition_materialization_attempts_without_materializations",
    "get_latest_storage_id_by_partition",
    "get_latest_tags_by_partition",
    "get_event_records",
    "get_maximum_record_id",
    "index_transaction",
    "path_for_shard",
    "run_connection",
]


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("tdw", "tdw_resources", "tdw_assets", "tdw_workbench"):
        for path in (ROOT / package).rglob("*.py"):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def defined(tree: ast.Module) -> set[str]:
    """Functions, fields and attributes that a module's own classes have."""
    found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found |= {ast.unparse(n.target) for n in ast.walk(tree) if isinstance(n, ast.AnnAssign)}
    stored = (n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))
    return found | {node.attr for node in stored}


def is_ours(base: type) -> bool:
    return base.__module__.startswith("tdw")


def stock_bases(ours: type) -> list[type]:
    return [base for base in ours.__mro__[1:-1] if not is_ours(base)]


def test_private_modules_of_dagster_are_imported_in_one_module_alone() -> None:
    found = {
        path
        for path, tree in sources()
        for name in imported(tree)
        if name.startswith(("dagster.", "dagster_shared.", "dagster_graphql."))
        and any(part.startswith("_") for part in name.split(".")[:-1])
    }
    assert found == {MODULES["dagster"]}


def test_the_webserver_is_taken_apart_in_one_module_alone() -> None:
    found = {path for path, tree in sources() if any("dagster_webserver.app" in n for n in imported(tree))}
    assert found == {MODULES["dagster_webserver"]}


def test_no_private_attribute_is_taken_from_an_object_of_dagsters() -> None:
    """Our subclasses use some of their base's, which are pinned below; nobody reaches into another object."""
    found = [
        f"{path}:{node.lineno} {ast.unparse(node)}"
        for path, tree in sources()
        if not path.startswith("tdw/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and ast.unparse(node.value) not in ("self", "cls")
        and node.attr not in defined(tree)
    ]
    assert found == []


@pytest.mark.parametrize("ours", PRIVATE_ATTRIBUTES)
def test_the_private_attributes_that_our_subclasses_use_are_these(ours: type) -> None:
    # With its bases that are only for it and its like.
    parts = [ours, *(base for base in ours.__mro__[1:] if is_ours(base) and base not in PRIVATE_ATTRIBUTES)]
    body = ast.parse("\n".join(inspect.getsource(part).strip() for part in parts))
    own = {node.name for node in ast.walk(body) if isinstance(node, ast.FunctionDef)}
    read = {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node.value) == "self"
        and node.attr.startswith("_")
        and isinstance(node.ctx, ast.Load)
    }
    stored = {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    assert read - own - stored == PRIVATE_ATTRIBUTES[ours]
    source = "".join(inspect.getsource(base) for base in stock_bases(ours) if base.__module__ != "builtins")
    for name in PRIVATE_ATTRIBUTES[ours]:
        assert f"self.{name}" in source or f"def {name}" in source, ADVICE


@pytest.mark.parametrize(("ours", "name"), OVERRIDDEN)
def test_what_we_override_is_there_with_the_same_parameters(ours: type, name: str) -> None:
    base = next((getattr(base, name) for base in stock_bases(ours) if hasattr(base, name)), None)
    assert base is not None, ADVICE
    if callable(base):
        assert list(inspect.signature(getattr(ours, name)).parameters) == list(
            inspect.signature(base).parameters
        ), ADVICE


@pytest.mark.parametrize("name", CALLED_ON_THE_EVENT_LOG)
def test_the_event_log_answers_what_we_ask(name: str) -> None:
    assert callable(getattr(internals.SqliteEventLogStorage, name, None)), ADVICE


def test_tags_and_the_servers_modules_are_spelled_as_dagster_spells_them() -> None:
    from dagster._core.storage import tags

    from tdw_workbench.servers.supervisor import DAEMON, SHARED

    assert internals.RANGE_START == tags.ASSET_PARTITION_RANGE_START_TAG, ADVICE
    assert internals.RANGE_END == tags.ASSET_PARTITION_RANGE_END_TAG, ADVICE
    assert importlib.util.find_spec(f"{DAEMON}.__main__"), ADVICE
    assert all(importlib.util.find_spec(module) for module in SHARED), ADVICE


@pytest.mark.parametrize("deferred", [False, True])
def test_a_running_op_can_keep_dagster_from_recording_its_outputs(deferred: bool) -> None:
    @dg.asset
    def done(context: dg.AssetExecutionContext):
        if deferred:
            internals.defer_events_from_now(context)
        yield dg.Output(None)

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([done], instance=instance).success
        recorded = instance.fetch_materializations(done.key, limit=5).records
        assert len(recorded) == (0 if deferred else 1), ADVICE
        (run,) = instance.get_runs()
        assert internals.DEFER_EVENTS not in run.tags, "the stored run stays as it was asked for"


RECORDED = [("sound", "a", True), ("sound", "b", False), ("there", None, True)]


def test_a_check_is_recorded_by_partition_from_a_run_without_one() -> None:
    variants = dg.DynamicPartitionsDefinition(name="v")

    @dg.asset(partitions_def=variants)
    def table() -> None: ...

    @dg.multi_asset_check(
        specs=[
            dg.AssetCheckSpec("sound", asset="table", partitions_def=variants),
            dg.AssetCheckSpec("there", asset="table"),
        ],
        can_subset=True,  # without, each check has to be yielded
    )
    def check(context: dg.AssetCheckExecutionContext):
        for name, variant, passed in RECORDED:
            evaluation = dg.AssetCheckEvaluation(
                asset_key=table.key, check_name=name, passed=passed, metadata={}, partition=variant
            )
            internals.log_check(context, evaluation)
        yield from ()

    job = dg.define_asset_job("check", selection=dg.AssetSelection.all_asset_checks())
    defs = dg.Definitions(assets=[table], asset_checks=[check], jobs=[job])
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("v", ["a", "b"])
        result = defs.resolve_job_def("check").execute_in_process(instance=instance)
        found = [(e.check_name, e.partition, e.passed) for e in result.get_asset_check_evaluations()]
    assert result.success and found == RECORDED, ADVICE
