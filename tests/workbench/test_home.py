"""Which Dagster home is used, and what stays untouched there: no other project's environment decides it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dagster as dg
import pytest
from running import STUDY, V1, free_port

from tdw.errors import StoreError
from tdw.store import Store
from tdw_resources.instance import ANALYSIS_POOL, TRAIN_POOL, open_instance, size_pools
from tdw_resources.places import DEFAULT_HOME, DEFAULT_STORE, find_places
from tdw_resources.reading import Reading, read_instance
from tdw_workbench.cli import COMMANDS, build_parser, main

SNAPSHOT = dict[str, tuple[int, int]]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/home/of/another/project")  # commands set it; this puts it back


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def tree(folder: Path) -> SNAPSHOT:
    """Path -> (modification time in ns, size) of all there is."""
    found = [folder, *folder.rglob("*")] if folder.exists() else []
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in found}


def test_the_dagster_home_of_another_project_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert find_places().home == DEFAULT_HOME
    monkeypatch.setenv("TDW_STORE", str(tmp_path / "store"))
    assert find_places().home == tmp_path / "store" / ".dagster"


def test_a_home_that_is_given_for_us_is_used_whatever_the_store_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for store in (None, str(tmp_path / "store"), str(DEFAULT_STORE)):
        assert find_places(store, home=tmp_path / "home").home == tmp_path / "home"
    monkeypatch.setenv("TDW_DAGSTER_HOME", str(tmp_path / "named"))
    assert find_places(str(tmp_path / "store")).home == tmp_path / "named"
    assert find_places(home=tmp_path / "home").home == tmp_path / "home"


def test_children_are_told_the_same_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = find_places(str(tmp_path / "store"), home=tmp_path / "home")
    for name, value in places.environment().items():
        monkeypatch.setenv(name, value)
    assert find_places() == places and os.environ["DAGSTER_HOME"] == str(tmp_path / "home")


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "new"])
def test_every_command_takes_a_home(command: str) -> None:
    needed = {"compare": ["a", "b"], "export": ["file"], "dashboard": ["list"]}.get(command, [])
    assert build_parser().parse_args([command, *needed, "--home", "there"]).home == "there"


def other_projects_runs(home: Path) -> dict[str, dg.DagsterRunStatus]:
    """A home with runs of another project, not started and started: run id -> status."""
    from dagster._core.events import DagsterEvent

    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    (home / "workspace.yaml").write_text("load_from: [{python_module: theirs}]\n")

    @dg.job
    def theirs() -> None: ...

    with dg.DagsterInstance.from_config(str(home)) as instance:
        waiting, started = (instance.create_run_for_job(theirs).run_id for _ in range(2))
        event = DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="theirs")
        instance.report_dagster_event(event, run_id=started)
        return {waiting: dg.DagsterRunStatus.NOT_STARTED, started: dg.DagsterRunStatus.STARTED}


def statuses(home: Path) -> dict[str, dg.DagsterRunStatus]:
    with dg.DagsterInstance.from_config(str(home)) as instance:
        return {run.run_id: run.status for run in instance.get_runs()}


def test_up_touches_no_run_and_no_file_of_another_project_even_in_a_home_that_is_given(
    tmp_path: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    before = other_projects_runs(home)
    files = {name: (home / name).read_bytes() for name in ("dagster.yaml", "workspace.yaml")}
    where = ["--store", str(tmp_path / "store"), "--study", str(study), "--home", str(home)]
    assert main(["up", *where, "--port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert "2 unfinished runs of other projects" in said and "theirs, STARTED" in said and "--home" in said
    assert statuses(home) == before
    assert {name: (home / name).read_bytes() for name in files} == files


def test_a_pool_limit_that_somebody_else_has_set_stays(tmp_path: Path) -> None:
    with open_instance(tmp_path) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("theirs", 7)
        storage.set_concurrency_slots(TRAIN_POOL, 5)
        for workers in (4, 8):
            size_pools(instance, workers=workers)
        assert {pool.name: pool.limit for pool in storage.get_pool_limits()} == {
            "theirs": 7,
            TRAIN_POOL: 5,
            ANALYSIS_POOL: 4,  # ours: it follows
        }


def test_a_pool_limit_of_the_configuration_holds_for_every_machine(tmp_path: Path) -> None:
    with open_instance(tmp_path):
        configuration = tmp_path / "dagster.yaml"
        text = configuration.read_text()
        configuration.write_text(text.replace("pools: {", "pools: {default_limit: 12, "))
    with open_instance(tmp_path) as instance:
        size_pools(instance)
        limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
        assert limits == {TRAIN_POOL: 12, ANALYSIS_POOL: 12}


def test_any_number_of_first_starts_at_once_make_one_instance(tmp_path: Path) -> None:
    code = "import sys, pathlib; from tdw_resources.instance import open_instance\n"
    code += "input(); open_instance(pathlib.Path(sys.argv[1])).get_runs(); print('fine')"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "home")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    with ThreadPoolExecutor(len(children)) as threads:
        told = list(threads.map(lambda child: child.communicate("go\n", timeout=120), children))
    assert [out.strip() for out, _ in told] == ["fine"] * len(children), [err for _, err in told]


def test_a_look_at_an_instance_that_is_just_being_made_finds_nothing_recorded(tmp_path: Path) -> None:
    open_instance(tmp_path).dispose()
    for database in (tmp_path / "history" / "runs.db", tmp_path / "history" / "runs" / "index.db"):
        with sqlite3.connect(database) as connection:
            connection.execute("delete from alembic_version")  # the last thing that Dagster writes
        connection.close()
        assert read_instance(tmp_path, lambda reading: reading.recorded) is False


def test_a_record_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    open_instance(tmp_path).dispose()
    (tmp_path / "history" / "runs.db").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="record can't be read"):
        read_instance(tmp_path, run_ids)


def full(root: Path, trained: Path) -> Path:
    """A store with files of the study's first variant."""
    import shutil

    shutil.copytree(
        trained / "modulo_addition_1layer" / "p7_s1_d598_f0.5", root / "modulo_addition_1layer" / V1
    )
    return root


def test_reading_commands_write_nothing_and_say_what_they_can_not_know(
    tmp_path: Path, study: Path, tiny_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store = full(tmp_path / "store", Path(tiny_store.root))
    where = ["--store", str(store), "--study", str(study)]
    before = tree(tmp_path)
    assert main(["status", *where]) == 0
    said = capsys.readouterr().out
    assert "files are adopted" in said and "unknown" in said
    main(["verify", *where])
    assert "whether they are recorded is unknown" in capsys.readouterr().out
    assert tree(tmp_path) == before


def test_reading_commands_do_not_change_a_home_either(
    tmp_path: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tdw.study import load_study
    from tdw_assets.cells.partitions import register_variants
    from tdw_resources.wanted import WantedAssets

    where = ["--store", str(tmp_path / "store"), "--study", str(study)]
    with open_instance(tmp_path / "store" / ".dagster") as instance:
        register_variants(WantedAssets.of(load_study(study)), instance, ["p7_s5_d598"])
    before = tree(tmp_path)
    assert main(["status", *where]) == 0
    assert "p7_s5_d598" in capsys.readouterr().out, "what is recorded is read"
    assert main(["verify", *where]) == 0
    assert tree(tmp_path) == before


def run_ids(reading: Reading) -> list[str]:
    return [run.run_id for run in reading.instance.get_runs()]


def test_what_is_written_while_one_looks_is_read_in_a_second_look(tmp_path: Path) -> None:
    with open_instance(tmp_path) as instance:
        looks: list[int] = []

        @dg.job
        def made() -> None: ...

        def look(reading: Reading) -> int:
            before = len(reading.instance.get_runs())
            if not looks:
                instance.create_run_for_job(made)
            looks.append(before)
            return before

        assert read_instance(tmp_path, look) == 1 and looks == [0, 1]


def test_what_another_process_has_just_written_is_read(tmp_path: Path) -> None:
    with open_instance(tmp_path) as instance, instance.run_storage.connect() as connection:
        connection.exec_driver_sql(
            "select count(*) from runs"
        )  # holds the database open, so that the log is not merged

        @dg.job
        def made() -> None: ...

        run = instance.create_run_for_job(made)
        assert (tmp_path / "history" / "runs.db-wal").stat().st_size
        assert read_instance(tmp_path, run_ids) == [run.run_id]
        for file in (tmp_path / "history").glob("runs.db*"):  # what a copy of a killed workbench has
            if not file.name.endswith("-shm"):
                (tmp_path / "copy" / "history" / "runs").mkdir(parents=True, exist_ok=True)
                (tmp_path / "copy" / "history" / file.name).write_bytes(file.read_bytes())
        (tmp_path / "copy" / "dagster.yaml").write_bytes((tmp_path / "dagster.yaml").read_bytes())
        (tmp_path / "copy" / "history" / "runs" / "index.db").write_bytes(
            (tmp_path / "history" / "runs" / "index.db").read_bytes()
        )
        before = tree(tmp_path / "copy")
        assert read_instance(tmp_path / "copy", run_ids) == [run.run_id]
        assert tree(tmp_path / "copy") == before


def test_a_home_that_is_empty_beside_a_full_store_is_said_once(
    tmp_path: Path, study: Path, tiny_store: Store
) -> None:
    from tdw.study import load_study
    from tdw_resources.wanted import WantedAssets
    from tdw_workbench.adoption import adoption_note

    wanted, places = (
        WantedAssets.of(load_study(study)),
        find_places(str(tmp_path / "store"), home=tmp_path / "home"),
    )
    with open_instance(places.home) as instance:
        assert adoption_note(wanted, instance, places) == "", "there is nothing to adopt"
        full(tmp_path / "store", Path(tiny_store.root))
        assert "files are adopted" in adoption_note(wanted, instance, places)
        instance.report_runless_asset_event(dg.AssetMaterialization(wanted.checkpoint))
        assert adoption_note(wanted, instance, places) == ""
