"""Batched event storage writes what Dagster's own SQLite storage writes. Guards an upgrade of Dagster."""

import multiprocessing
import sqlite3
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from tdw.inventory.versions import DataVersion
from tdw_resources.event_storage import BatchingSqliteEventLogStorage
from tdw_resources.events import data_versions
from tdw_resources.events.stream import MaterializationStream, report_planned
from tdw_resources.instance import open_instance

CELLS = dg.MultiPartitionsDefinition(
    {
        "variant": dg.StaticPartitionsDefinition(["a", "b"]),
        "epoch": dg.StaticPartitionsDefinition(["00000", "00100", "00200"]),
    }
)
KEYS = [f"{epoch}|{variant}" for variant in "ab" for epoch in ("00000", "00100", "00200")]
DEFER = "dagster/defer_asset_events"
COVERING = {
    "dagster/asset_partition_range_start": "00000|a",
    "dagster/asset_partition_range_end": "00200|b",
}


def one_group(finished: list[dg.AssetMaterialization]) -> list[list[dg.AssetMaterialization]]:
    return [finished]


@dg.multi_asset(
    specs=[dg.AssetSpec(name, partitions_def=CELLS, skippable=True) for name in ("one", "two")],
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def both(context: dg.AssetExecutionContext):
    assets = sorted(context.selected_asset_keys)
    if DEFER in context.run.tags:
        report_planned(context, [(asset, key) for asset in assets for key in KEYS])
    with MaterializationStream(context, one_group) as stream:
        for key in context.partition_keys:
            for asset in assets:
                stream.add(
                    dg.AssetMaterialization(
                        asset, partition=key, metadata={"n": 1}, tags={"dagster/data_version": f"v:{key}"}
                    )
                )
    yield from ()


def materialize(home: Path, **tags: str) -> dg.DagsterInstance:
    instance = open_instance(home)
    assert dg.materialize([both], instance=instance, tags={**COVERING, **tags}).success
    return instance


def rows(instance: dg.DagsterInstance, shard: str, query: str) -> list[tuple[object, ...]]:
    storage = instance.event_log_storage
    assert isinstance(storage, SqliteEventLogStorage)
    with sqlite3.connect(storage.path_for_shard(shard)) as connection:
        return connection.execute(query).fetchall()


def everything(instance: dg.DagsterInstance) -> dict[str, object]:
    run_id = instance.get_run_records(limit=1)[0].dagster_run.run_id
    columns = "dagster_event_type, asset_key, partition, step_key"
    asset_events = f"select {columns} from event_logs where asset_key is not null order by id"
    storage = instance.event_log_storage
    planned, materialized = (
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
    )
    one = dg.AssetKey("one")
    return {
        "run log": rows(instance, run_id, asset_events),
        "index": rows(instance, "index", asset_events),
        "tags": rows(instance, "index", "select asset_key, key, value from asset_event_tags order by id"),
        "assets": rows(
            instance, "index", "select asset_key, asset_details from asset_keys order by asset_key"
        ),
        "partitions": instance.get_materialized_partitions(one),
        "versions": storage.get_latest_tags_by_partition(one, materialized, ["dagster/data_version"]),
        "ids": storage.get_latest_storage_id_by_partition(one, materialized),
        "planned": sorted(storage.get_latest_storage_id_by_partition(one, planned)),
        "last": instance.get_latest_materialization_event(one).asset_materialization,
        "attempts": storage.get_latest_asset_partition_materialization_attempts_without_materializations(one),
        "counts": instance.get_run_stats(run_id).materializations,
    }


def test_the_pinned_version_is_the_one_that_was_tested() -> None:
    assert dg.__version__ == "1.13.27", "read these contract tests, try the fault tests, then move the pin"


@pytest.mark.parametrize("deferred", [False, True])
def test_a_batch_leaves_the_same_rows_as_the_stock_storage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deferred: bool
) -> None:
    tags = {DEFER: "true"} if deferred else {}
    batched = materialize(tmp_path / "batched", **tags)
    assert isinstance(batched.event_log_storage, BatchingSqliteEventLogStorage)
    (tmp_path / "stock").mkdir()
    (tmp_path / "stock" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "0")
    stock = materialize(tmp_path / "stock", **tags)
    assert type(stock.event_log_storage) is SqliteEventLogStorage
    expected = everything(stock)
    assert len(expected["partitions"]) == 6 and len(expected["planned"]) == 6 and len(expected["tags"]) >= 12
    assert everything(batched) == expected


def test_a_batch_costs_two_transactions_however_many_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    original = SqliteEventLogStorage._connect

    def counting(self: SqliteEventLogStorage, shard: str):
        opened.append(shard)
        return original(self, shard)

    instance = open_instance(tmp_path)
    batches: list[int] = []
    store = BatchingSqliteEventLogStorage.store_event_batch

    def spying(self: BatchingSqliteEventLogStorage, events: list[object]) -> None:
        opened.clear()
        store(self, events)
        batches.append(len(events))
        assert len(opened) == 2, opened

    monkeypatch.setattr(SqliteEventLogStorage, "_connect", counting)
    monkeypatch.setattr(BatchingSqliteEventLogStorage, "store_event_batch", spying)
    materialize(tmp_path)
    assert batches == [12, 12], "one batch of planned events, one of materializations"
    assert len(instance.get_materialized_partitions(dg.AssetKey("two"))) == 6


def _write(home: str, name: str, count: int) -> None:
    instance = open_instance(Path(home))
    keys = dg.StaticPartitionsDefinition([f"{name}{at}" for at in range(count)])

    @dg.asset(name="shared", partitions_def=keys, backfill_policy=dg.BackfillPolicy.single_run())
    def shared(context: dg.AssetExecutionContext) -> None:
        for at in range(0, count, 20):
            with MaterializationStream(context, one_group) as stream:
                for key in list(context.partition_keys)[at : at + 20]:
                    stream.add(dg.AssetMaterialization("cell", partition=key))

    first, last = keys.get_first_partition_key(), keys.get_last_partition_key()
    dg.materialize(
        [shared],
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": str(first),
            "dagster/asset_partition_range_end": str(last),
        },
    )


@pytest.mark.slow
@pytest.mark.ci
def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    open_instance(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(str(tmp_path), name, 100)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    instance = open_instance(tmp_path)
    assert len(instance.get_materialized_partitions(dg.AssetKey("cell"))) == 300
    assert rows(
        instance, "index", "select count(*), count(distinct id) from event_logs where asset_key like '%cell%'"
    ) == [(300, 300)]


def test_an_error_of_the_event_log_reaches_the_op(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = open_instance(tmp_path)

    def broken(self: object, event: object) -> None:
        raise OSError("disk full")

    @dg.asset(partitions_def=CELLS, backfill_policy=dg.BackfillPolicy.single_run())
    def fails(context: dg.AssetExecutionContext) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(BatchingSqliteEventLogStorage, "store_event_batch", broken)
            patch.setattr(BatchingSqliteEventLogStorage, "store_event", broken)
            stream = MaterializationStream(context, one_group)
            with pytest.raises(OSError, match="disk full"), stream:
                stream.add(dg.AssetMaterialization("fails", partition=KEYS[0]))

    assert dg.materialize([fails], instance=instance, partition_key=KEYS[0]).success


@pytest.mark.parametrize("at_once", [None, 2])
def test_versions_of_many_partitions_are_read_in_one_query_or_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int | None
) -> None:
    if at_once:
        monkeypatch.setattr(data_versions, "_QUERY_KEYS", at_once)
    key, of = dg.AssetKey("one"), DataVersion("spec", "input", "content")
    recorded = [f"v{number}" for number in range(5)]
    # As many as SQLite is asked for at once; one variable less would be an error of the database.
    others = [] if at_once else [f"w{number}" for number in range(data_versions._QUERY_KEYS - 5)]
    with open_instance(tmp_path) as instance:
        for partition in recorded:
            tags = data_versions.tags(of, code_version="1", inputs=[])
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition, tags=tags))
        assert data_versions.read_versions(instance, key, [*recorded, *others]) == dict.fromkeys(recorded, of)
        assert [*data_versions.read_versions(instance, key, ["v3"])] == ["v3"]


def test_the_index_stays_open_until_the_instance_is_left(tmp_path: Path) -> None:
    """Otherwise SQLite tidies up after each query: it has the last connection to the database."""
    log = tmp_path / "home" / "history" / "runs" / "index.db-wal"
    with open_instance(tmp_path / "home") as instance:
        data_versions.read_versions(instance, dg.AssetKey("one"))
        assert log.exists()
    assert not log.exists()
