"""Batched event storage on Postgres writes what Dagster's own Postgres storage writes. Guards an upgrade."""

import os
import runpy
import tempfile
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa
from test_event_storage import COVERING, DEFER, both

from tdw_resources.instance import end_left_runs, open_instance, size_pools
from tdw_resources.runs.heartbeat import Listener, beating, is_shared
from tdw_resources.runs.liveness import LAUNCHED_BY_TAG, WORKER_TAG

pytestmark = [pytest.mark.slow, pytest.mark.ci]
SERVICES = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "cluster_services.py"))
CONFIGURATION = Path(__file__).parents[2] / "dagster_home" / "postgres" / "dagster.yaml"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A Postgres server of this module's own; the address of its database `postgres`."""
    found = SERVICES["postgres_programs"]()
    if found is None:
        pytest.skip("there is no Postgres server here: install the package postgresql")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with SERVICES["postgres"](Path(folder), found) as address:
            yield address.rsplit("/", 1)[0]


def instance_on(server: str, home: Path, configuration: str) -> dg.DagsterInstance:
    """An instance in a new database."""
    name = home.name
    with sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    os.environ["TDW_POSTGRES_URL"] = f"{server}/{name}"
    home.mkdir()
    (home / "dagster.yaml").write_text(configuration)
    return open_instance(home)


@pytest.fixture(autouse=True)
def _own_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TDW_POSTGRES_URL", "DAGSTER_HOME", "DAGSTER_EVENT_BATCH_SIZE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def rows(instance: dg.DagsterInstance) -> dict[str, object]:
    """What stands in the tables, but for times and ids of runs."""
    with sa.create_engine(os.environ["TDW_POSTGRES_URL"]).connect() as connection:

        def read(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        last = 'substring(last_materialization from \'"partition": "([^"]*)\')'
        return {
            "events": read(
                "SELECT dagster_event_type, asset_key, partition, step_key FROM event_logs "
                "WHERE asset_key IS NOT NULL ORDER BY asset_key, dagster_event_type, partition"
            ),
            "tags": read(
                "SELECT asset_key, key, value FROM asset_event_tags "
                "WHERE key != 'dagster/code_version' ORDER BY asset_key, key, value"
            ),
            "assets": read(f"SELECT asset_key, {last} FROM asset_keys ORDER BY asset_key"),
        }


def test_a_batch_leaves_the_same_rows_as_the_stock_storage(server: str, tmp_path: Path) -> None:
    ours = CONFIGURATION.read_text()
    at = ours.index("event_log_storage:")
    stock = ours[:at] + ours[at:].replace(
        "tdw_resources.postgres_event_storage", "dagster_postgres.event_log"
    ).replace("BatchingPostgresEventLogStorage", "PostgresEventLogStorage")
    assert stock != ours
    found: list[dict[str, object]] = []
    for name, configuration in (("batched", ours), ("stock", stock)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_EVENT_BATCH_SIZE", "200" if name == "batched" else "0")
            with instance_on(server, tmp_path / name, configuration) as instance:
                assert dg.materialize([both], instance=instance, tags={**COVERING, DEFER: "true"}).success
                found.append(rows(instance))
                assert len(instance.get_materialized_partitions(dg.AssetKey("one"))) == 6
    batched, stock_rows = found
    assert len(batched["events"]) >= 24 and len(batched["assets"]) == 2  # type: ignore[arg-type]
    assert batched == stock_rows


def test_partitions_are_forgotten_and_the_others_stay(server: str, tmp_path: Path) -> None:
    one = dg.AssetKey("one")
    with instance_on(server, tmp_path / "wiped", CONFIGURATION.read_text()) as instance:
        assert dg.materialize([both], instance=instance, tags={**COVERING, DEFER: "true"}).success
        whole = instance.get_materialized_partitions(one)
        instance.wipe_asset_partitions(one, sorted(whole)[-2:])
        assert instance.get_materialized_partitions(one) == set(sorted(whole)[:-2])
        assert len(instance.get_materialized_partitions(dg.AssetKey("two"))) == len(whole)
        latest = instance.get_latest_materialization_event(one)
        assert latest is not None and latest.asset_materialization is not None
        assert latest.asset_materialization.partition in sorted(whole)[:-2]


def test_machines_that_share_a_database_judge_each_other_by_signs_of_life(
    server: str, tmp_path: Path
) -> None:
    @dg.job
    def nothing() -> None: ...

    with instance_on(server, tmp_path / "shared", CONFIGURATION.read_text()) as instance:
        assert is_shared(instance)
        size_pools(instance)
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        assert set(limits.values()) == {8}  # of the configuration, whichever machine asks
        tags = ({WORKER_TAG: "elsewhere/1/1.00"}, {LAUNCHED_BY_TAG: "elsewhere"}, {"tdw/stage": "train"})
        runs = [instance.create_run_for_job(nothing, tags=each) for each in tags]
        assert end_left_runs(instance) == []
        with beating(instance, every_s=0.05):
            pass
        listener = Listener(silent_s=0.0)
        instance.run_storage.set_cursor_values({"tdw/heartbeat/elsewhere/1/1.00": "7"})
        assert listener.end_silent_runs(instance) == [runs[0].run_id]
