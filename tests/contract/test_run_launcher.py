"""A run whose worker is gone is found out, whoever started it. Guards an upgrade of Dagster."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.launcher.base import WorkerStatus

from tdw_resources.instance import end_left_runs, fail_dead_runs, open_instance
from tdw_resources.run_launcher import LocalRunLauncher
from tdw_resources.runs.heartbeat import Listener, beating, is_shared
from tdw_resources.runs.liveness import LAUNCHED_BY_TAG, STOPPED_TAG, WORKER_TAG, identity, is_alive
from tdw_resources.runs.own_runs import is_ours

OURS = {"tdw/stage": "train"}


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    return open_instance(tmp_path)


def started_run(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    run = recorded_run(instance, **tags)
    instance.report_dagster_event(_event(dg.DagsterEventType.RUN_START, "nothing"), run_id=run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None and found.status == dg.DagsterRunStatus.STARTED
    return found


def recorded_run(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    @dg.job
    def nothing() -> None: ...

    return instance.create_run_for_job(nothing, tags=tags)


def _event(kind: dg.DagsterEventType, job: str):
    from dagster._core.events import DagsterEvent

    return DagsterEvent(event_type_value=kind.value, job_name=job)


@pytest.fixture
def dead_worker() -> str:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = identity(child.pid)
    assert is_alive(worker)
    child.kill()
    child.wait()
    return worker


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, LocalRunLauncher) and launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_living_worker_is_running(instance: dg.DagsterInstance) -> None:
    assert health(instance, started_run(instance, **{WORKER_TAG: identity()})) == WorkerStatus.RUNNING


def test_a_killed_worker_is_found_out(instance: dg.DagsterInstance, dead_worker: str) -> None:
    assert health(instance, started_run(instance, **{WORKER_TAG: dead_worker})) == WorkerStatus.NOT_FOUND


def test_a_pid_that_was_given_away_again_is_not_taken_for_the_worker() -> None:
    host, pid, _start = identity().split("/")
    assert int(pid) == os.getpid()
    assert is_alive(f"{host}/{pid}/123.45") is False


def test_another_machines_worker_is_not_judged() -> None:
    assert is_alive("elsewhere/1/1.00") is None
    assert is_alive("") is None


def test_a_run_of_ours_that_nobody_knows_is_not_found(instance: dg.DagsterInstance) -> None:
    assert health(instance, started_run(instance, **OURS)) == WorkerStatus.NOT_FOUND


def test_a_run_of_another_project_is_never_reported_as_gone(instance: dg.DagsterInstance) -> None:
    assert health(instance, started_run(instance)) == WorkerStatus.RUNNING


def test_a_run_of_another_machine_is_left_to_its_signs_of_life(instance: dg.DagsterInstance) -> None:
    begun = started_run(instance, **OURS, **{WORKER_TAG: "elsewhere/1/1.00"})
    launched = started_run(instance, **OURS, **{LAUNCHED_BY_TAG: "elsewhere"})
    assert health(instance, begun) == health(instance, launched) == WorkerStatus.RUNNING
    assert end_left_runs(instance) == []


def test_a_worker_elsewhere_is_gone_when_it_falls_silent_and_unknown_when_it_never_spoke(
    instance: dg.DagsterInstance,
) -> None:
    speaks, silent, _unknown = (
        started_run(instance, **{WORKER_TAG: f"elsewhere/{pid}/1.00"}) for pid in (1, 2, 3)
    )
    here = started_run(instance, **{WORKER_TAG: identity()})
    listener = Listener(silent_s=0.2)
    signs = {f"tdw/heartbeat/{run.tags[WORKER_TAG]}": "1" for run in (speaks, silent, here)}
    instance.run_storage.set_cursor_values(signs)
    ended: list[str] = []
    for beat in range(4):
        instance.run_storage.set_cursor_values({f"tdw/heartbeat/{speaks.tags[WORKER_TAG]}": str(beat)})
        ended += listener.end_silent_runs(instance)
        time.sleep(0.1)
    assert ended == [silent.run_id]
    found = instance.get_run_by_id(silent.run_id)
    assert found is not None and found.status == dg.DagsterRunStatus.FAILURE
    assert found.tags[STOPPED_TAG] == "true"  # it is taken up again, and no attempt is used up


def test_a_dead_worker_of_this_machine_is_ended_where_its_launcher_does_not_notice(
    instance: dg.DagsterInstance,
) -> None:
    dead = started_run(instance, **{WORKER_TAG: f"{socket.gethostname()}/1/1.00"})
    instance.run_storage.set_cursor_values({f"tdw/heartbeat/{dead.tags[WORKER_TAG]}": "1"})
    assert Listener(silent_s=0.0).end_silent_runs(instance) == [dead.run_id]


def test_silence_counts_only_while_somebody_listens(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started_run(instance, **{WORKER_TAG: "elsewhere/1/1.00"})
    instance.run_storage.set_cursor_values({f"tdw/heartbeat/{run.tags[WORKER_TAG]}": "1"})
    now = 1000.0
    monkeypatch.setattr("tdw_resources.runs.heartbeat.time.monotonic", lambda: now)
    listener = Listener(silent_s=45.0)
    assert listener.end_silent_runs(instance) == []
    now += 3600.0  # the database was away for an hour
    assert listener.end_silent_runs(instance) == []
    ended: list[str] = []
    while not ended:
        now += 10.0
        ended = listener.end_silent_runs(instance)
    assert ended == [run.run_id] and now == 4630.0


def test_a_worker_gives_signs_of_life_while_it_works(instance: dg.DagsterInstance) -> None:
    key = f"tdw/heartbeat/{identity()}"

    def sign() -> str | None:
        return instance.run_storage.get_cursor_values({key}).get(key)

    with beating(instance, every_s=0.02):
        seen = set[str | None]()
        while len(seen) < 3:
            seen.add(sign())
    last = sign()
    time.sleep(0.1)
    assert sign() == last
    short = set[str | None]()
    for _ in range(3):  # runs shorter than the time between two signs
        with beating(instance):
            time.sleep(0.05)
        short.add(sign())
    assert len(short) == 3
    assert not is_shared(instance)  # SQLite files belong to one machine: it looks at the process itself


def test_an_unreachable_code_server_counts_as_gone(instance: dg.DagsterInstance) -> None:
    run = started_run(instance, **OURS, **{".dagster/grpc_info": '{"host": "127.0.0.1", "port": 1}'})
    assert health(instance, run) == WorkerStatus.NOT_FOUND


def test_runs_of_the_dead_are_failed_and_those_of_the_living_left_alone(
    instance: dg.DagsterInstance, dead_worker: str
) -> None:
    dead = started_run(instance, **{WORKER_TAG: dead_worker})
    alive = started_run(instance, **{WORKER_TAG: identity()})
    assert fail_dead_runs(instance) == [dead.run_id]
    statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {
        dead.run_id: dg.DagsterRunStatus.FAILURE,
        alive.run_id: dg.DagsterRunStatus.STARTED,
    }


def test_a_run_whose_worker_died_before_it_began_is_failed_too(
    instance: dg.DagsterInstance, dead_worker: str
) -> None:
    run = recorded_run(instance, **{WORKER_TAG: dead_worker})
    assert run.status == dg.DagsterRunStatus.NOT_STARTED
    assert fail_dead_runs(instance) == [run.run_id]


def test_a_new_workbench_ends_what_a_killed_one_left_and_counts_it_as_stopped(
    instance: dg.DagsterInstance,
) -> None:
    unknown = started_run(instance, **OURS)
    alive = started_run(instance, **{WORKER_TAG: identity()})
    elsewhere = started_run(instance, **{WORKER_TAG: "elsewhere/1/1.00"})
    assert end_left_runs(instance) == [unknown.run_id]
    found = {run.run_id: run for run in instance.get_runs()}
    assert found[unknown.run_id].status == dg.DagsterRunStatus.FAILURE
    assert found[unknown.run_id].tags[STOPPED_TAG] == "true"
    assert found[alive.run_id].status == found[elsewhere.run_id].status == dg.DagsterRunStatus.STARTED


def test_runs_of_other_projects_are_neither_failed_nor_ended(
    instance: dg.DagsterInstance, dead_worker: str
) -> None:
    others = [started_run(instance, **{"team": "other"}), recorded_run(instance)]
    assert end_left_runs(instance) == fail_dead_runs(instance) == []
    statuses = {run.run_id: run.status for run in instance.get_runs()}
    assert statuses == {
        others[0].run_id: dg.DagsterRunStatus.STARTED,
        others[1].run_id: dg.DagsterRunStatus.NOT_STARTED,
    }


def test_a_run_that_the_ui_launched_from_our_code_location_is_ours_without_a_tag(
    instance: dg.DagsterInstance,
) -> None:
    ours, others = (_launched_from(instance, location) for location in ("tdw", "elsewhere"))
    assert is_ours(ours) and not is_ours(others)
    assert end_left_runs(instance) == [ours.run_id]


def _launched_from(instance: dg.DagsterInstance, location: str) -> dg.DagsterRun:
    from dagster._core.remote_origin import (
        GrpcServerCodeLocationOrigin,
        RemoteJobOrigin,
        RemoteRepositoryOrigin,
    )

    server = GrpcServerCodeLocationOrigin(host="127.0.0.1", port=1, location_name=location)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(server, "__repository__"), "nothing")
    run = recorded_run(instance)
    instance.delete_run(run.run_id)
    return instance.add_run(run._replace(remote_job_origin=origin))


def test_stopping_a_run_outside_of_a_code_server_interrupts_its_worker(instance: dg.DagsterInstance) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    child.stdout.readline()
    run = started_run(instance, **{WORKER_TAG: identity(child.pid)})
    assert instance.run_launcher.terminate(run.run_id)
    assert child.wait(timeout=20) != 0
    found = instance.get_run_by_id(run.run_id)
    assert found is not None and found.status == dg.DagsterRunStatus.CANCELING


def test_the_daemons_patience_with_a_busy_machine_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._grpc.utils import default_grpc_timeout

    monkeypatch.setenv("DAGSTER_GRPC_TIMEOUT_SECONDS", "300")
    assert default_grpc_timeout() == 300
