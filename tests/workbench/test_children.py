"""Child processes: the working folder, proxies, a long TMPDIR and foreign variables don't reach them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from running import Up, marked, until

from tdw.errors import StoreError, TdwError
from tdw_workbench.children import child_environment, python_command, short_temporary_folder
from tdw_workbench.location import LocationWatch

HOSTILE = ("secrets", "random", "psutil", "yaml", "dagster", "tdw")
DEAD_PROXY = "http://127.0.0.1:9"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder whose modules say that they were imported."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    for name in HOSTILE:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\n")
    return folder


@pytest.mark.parametrize("module", ["tdw_workbench.servers.run_supervised", "tdw_workbench.web"])
def test_no_child_imports_from_the_working_folder(hostile: Path, tmp_path: Path, module: str) -> None:
    found = subprocess.run(
        python_command(module, "--help"),
        cwd=hostile,
        env=child_environment({}),
        input="",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert not (tmp_path / "imported").exists()
    assert "ModuleNotFoundError" not in found.stderr


def test_what_a_child_starts_does_not_import_from_there_either(hostile: Path, tmp_path: Path) -> None:
    env = child_environment({}, environment={"PATH": "", "PYTHONPATH": ":"})
    command = [sys.executable, "-c", "import random, psutil, yaml"]  # without our -P, as Dagster does
    subprocess.run(command, cwd=hostile, env=env, check=True)
    assert not (tmp_path / "imported").exists()


def test_the_users_pythonpath_still_works(tmp_path: Path) -> None:
    (tmp_path / "users_module.py").write_text("print('mine')\n")
    env = child_environment({}, environment={"PYTHONPATH": f":{tmp_path}:"})
    assert env["PYTHONPATH"] == f"{os.devnull}:{tmp_path}"
    command = python_command("users_module")
    assert subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout == "mine\n"
    # Dagster drops the first entry of the path; the project itself may be the user's only one.
    dropped = [sys.executable, "-P", "-c", "import sys; del sys.path[0]; import users_module"]
    assert subprocess.run(dropped, env=env, capture_output=True, text=True, check=True).stdout == "mine\n"


def test_loopback_goes_through_no_proxy_and_the_users_own_exceptions_stay() -> None:
    found = child_environment({}, environment={"no_proxy": "lab.example, ::1", "http_proxy": DEAD_PROXY})
    assert found["no_proxy"] == found["NO_PROXY"] == "lab.example,::1,localhost,127.0.0.1"
    assert found["http_proxy"] == DEAD_PROXY and "no_grpc_proxy" not in found
    assert "127.0.0.1" in child_environment({}, environment={"no_grpc_proxy": "x"})["no_grpc_proxy"]


def test_another_projects_dagster_variables_are_not_handed_on_and_secrets_are() -> None:
    theirs = {
        "DAGSTER_INSTANCE_REF": "{}",
        "DAGSTER_MODULE_NAME": "theirs",
        "DAGSTER_PG_PASSWORD": "x",
        "DAGSTER_WEBSERVER_PATH_PREFIX": "/theirs",
        "DAGSTER_WEBSERVER_READ_ONLY": "1",
        "DAGIT_PATH_PREFIX": "/theirs",
        "DAGSTER_DEFAULT_IO_MANAGER_MODULE": "theirs",
        "WEB_CONCURRENCY": "4",
    }
    found = child_environment({"DAGSTER_HOME": "ours"}, environment={"DAGSTER_HOME": "theirs", **theirs})
    assert {name: value for name, value in found.items() if name.startswith(("DAG", "WEB"))} == {
        "DAGSTER_HOME": "ours",
        "DAGSTER_PG_PASSWORD": "x",
    }


def test_a_temporary_folder_that_is_too_deep_for_sockets_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert short_temporary_folder() is None
    monkeypatch.setattr(tempfile, "tempdir", "/" + "deep/" * 30)
    folder = short_temporary_folder()
    assert folder is not None and folder.is_dir() and len(str(folder)) < 40
    folder.rmdir()
    monkeypatch.setattr("tdw_workbench.children._SHORT_FOLDERS", ("/nowhere",))
    with pytest.raises(StoreError, match="TMPDIR"):
        short_temporary_folder()


def watch(*problems: str | None) -> LocationWatch:
    told, ticks = iter(problems), iter(range(0, 1000, 20))
    return LocationWatch(lambda: next(told), lambda: "its last line", "the.log", clock=lambda: next(ticks))


def test_a_code_location_that_never_loads_is_said_with_its_log_and_ends_the_workbench() -> None:
    found = watch("bad study", None, "bad study")
    (said,) = found.look()
    assert "bad study" in said and "its last line" in said and found.waiting
    assert found.look() == []
    with pytest.raises(TdwError, match="bad study") as error:
        found.look()
    assert "its last line" in error.value.what and "the.log" in error.value.remedy


def test_a_code_location_that_was_loaded_once_is_waited_for() -> None:
    found = watch("", "edited", "edited", "edited", "")
    assert found.look() == [] and not found.waiting
    assert "edited" in found.look()[0] and found.waiting
    assert found.look() == found.look() == []
    assert found.look() == ["The code location is loaded."] and not found.waiting


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_up_carries_a_study_out_in_a_hostile_environment(hostile: Path, tmp_path: Path) -> None:
    deep, theirs = tmp_path / ("d" * 120), tmp_path / "theirs"
    deep.mkdir()
    theirs.mkdir()
    names = ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "grpc_proxy")
    environment = {"TMPDIR": str(deep), "DAGSTER_HOME": str(theirs), **dict.fromkeys(names, DEAD_PROXY)}
    (tmp_path / "up").mkdir()
    found = Up.start(tmp_path / "up", cwd=hostile, environment=environment)
    try:
        until("the study is complete", lambda: "The study is complete" in found.said(), within_s=400)
        assert found.stop() == 0
    finally:
        found.process.kill()
        until("nothing is left", lambda: not marked(str(tmp_path / "up")), within_s=40)
    assert not (tmp_path / "imported").exists() and not list(theirs.iterdir())


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_up_ends_with_the_reason_when_the_code_location_can_not_be_loaded(tmp_path: Path) -> None:
    # The study is sound for `up` and missing for the code server: as when a share is not mounted there.
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\nif 'api' in sys.orig_argv: import os; os.environ['TDW_STUDY'] = '/nowhere/study.yaml'\n"
    )
    found = Up.start(tmp_path, environment={"PYTHONPATH": str(site)})
    try:
        assert found.process.wait(240) == 1
    finally:
        found.process.kill()
        until("nothing is left", lambda: not marked(str(tmp_path)), within_s=40)
    said = found.said()
    assert "the code location can't be loaded" in said and "/nowhere/study.yaml" in said, said
