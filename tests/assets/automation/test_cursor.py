"""The sensor's cursor stays short however many variants there are; one that is lost is no harm."""

from pathlib import Path

import dagster as dg
import pytest

from tdw.reconcile.seen import Seen
from tdw_resources.instance import open_instance
from tdw_resources.sensor_cursor import LONGEST, keep, recall

LONG = Seen(study="x", marks={f"p113_s{seed}_d598": "1-2-3" for seed in range(1000)})


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    monkeypatch.setenv("DAGSTER_HOME", "")
    return open_instance(tmp_path / "home")


def test_it_is_short_and_stands_for_all_of_it(instance: dg.DagsterInstance) -> None:
    cursor = keep(LONG.dump(), instance, "s")
    assert len(cursor) < 100 < LONGEST < len(LONG.dump())
    assert Seen.read(recall(cursor, instance, "s")) == LONG


def test_a_short_one_and_one_of_an_instance_in_memory_are_kept_as_they_are(
    instance: dg.DagsterInstance,
) -> None:
    short = Seen(study="x").dump()
    assert keep(short, instance, "s") == short and recall(short, instance, "s") == short
    with dg.DagsterInstance.ephemeral() as memory:
        assert keep(LONG.dump(), memory, "s") == LONG.dump()
    assert recall(None, instance, "s") is None


def test_without_room_for_a_file_the_cursor_holds_all_of_it(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    (tmp_path / "home" / "tdw_seen").write_text("in the way")
    assert keep(LONG.dump(), instance, "s") == LONG.dump()


def test_a_lost_or_another_ticks_file_counts_as_no_cursor(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    cursor = keep(LONG.dump(), instance, "s")
    (file,) = (tmp_path / "home" / "tdw_seen").iterdir()
    before = file.stat().st_mtime_ns
    assert keep(LONG.dump(), instance, "s") == cursor and file.stat().st_mtime_ns == before
    keep(Seen(study="y", marks=LONG.marks).dump(), instance, "s")
    assert recall(cursor, instance, "s") is None
    file.write_bytes(b"\xff\xfe")
    assert recall(cursor, instance, "s") is None
    file.unlink()
    assert Seen.read(recall(cursor, instance, "s")) == Seen()
    assert Seen.read(recall(LONG.dump(), instance, "s")) == LONG  # the cursor of an earlier version
