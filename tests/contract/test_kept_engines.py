"""SQLite storages with kept engines: the files and tables of the stock ones, asked for their stamp alone."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage

from tdw_resources import kept_engines
from tdw_resources.instance import open_instance
from tdw_resources.kept_engines import KeptSqliteRunStorage, KeptSqliteScheduleStorage

STOCK = "telemetry: {enabled: false}\n"


@dg.asset
def thing() -> None: ...


def use(home: Path) -> set[str]:
    """Open an instance, run something, and ask each storage; the runs that it has."""
    with open_instance(home) as instance:
        assert dg.materialize([thing], instance=instance).success
        assert instance.all_instigator_state() == []
        return {run.run_id for run in instance.get_runs()}


def test_the_revisions_of_a_database_that_is_stamped_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(tmp_path)
    looked: list[object] = []
    load = ScriptDirectory.from_config
    monkeypatch.setattr(ScriptDirectory, "from_config", lambda config: looked.append(config) or load(config))
    monkeypatch.setattr(kept_engines, "_prepared", set[str]())  # as in another process
    with open_instance(tmp_path) as instance:
        assert len(instance.get_runs()) == 1
        assert instance.all_instigator_state() == []
        assert instance.get_latest_materialization_event(dg.AssetKey("thing"))
        assert not instance.has_dynamic_partition("none", "such")
    assert looked == []
    use(tmp_path)
    assert len(looked) == 2, "the database of the new run, made and stamped"


def test_a_home_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    first = use(tmp_path / "home")
    shutil.rmtree(tmp_path / "home")
    second = use(tmp_path / "home")
    assert len(first) == len(second) == 1
    assert first != second


def test_the_stock_storages_read_and_write_the_same_home(tmp_path: Path) -> None:
    ours = use(tmp_path)
    configured = (tmp_path / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(STOCK)
    both = use(tmp_path)
    assert ours < both and len(both) == 2
    with open_instance(tmp_path) as instance:
        assert type(instance.run_storage) is SqliteRunStorage
        assert type(instance.schedule_storage) is SqliteScheduleStorage
        assert type(instance.event_log_storage) is SqliteEventLogStorage
    (tmp_path / "dagster.yaml").write_text(configured)
    with open_instance(tmp_path) as instance:
        assert isinstance(instance.run_storage, KeptSqliteRunStorage)
        assert isinstance(instance.schedule_storage, KeptSqliteScheduleStorage)
        assert {run.run_id for run in instance.get_runs()} == both
