"""Runs as SLURM jobs, with stand-ins for SLURM's programs that keep a job's state in a file."""

import subprocess
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus

from tdw.errors import TdwError
from tdw_resources.instance import open_instance
from tdw_resources.slurm_run_launcher import JOB_TAG, SlurmRunLauncher

# sbatch keeps what it was asked for; a job "runs" when its state is RUNNING, and its script is then started.
SBATCH = """#!/bin/sh
case "$*" in *impossible*) echo "sbatch: error: invalid partition specified: impossible" >&2; exit 1;; esac
echo "$@" > {folder}/asked
cat > {folder}/script
echo PENDING > {folder}/77
echo "77;cluster"
"""
SCONTROL = """#!/bin/sh
for job; do :; done
[ -e {folder}/away ] && {{ echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1; }}
[ -e {folder}/$job ] || {{ echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }}
echo "JobId=$job JobName=x UserId=me JobState=$(cat {folder}/$job) Reason=None"
"""
SCANCEL = """#!/bin/sh
echo "$@" >> {folder}/canceled
"""
CONFIGURATION = """
telemetry: {{enabled: false}}
run_launcher:
  module: tdw_resources.slurm_run_launcher
  class: SlurmRunLauncher
  config:
    logs: {logs}
    options: {{partition: gpu, time: "04:00:00"}}
    by_job: {{"*_train": {{gres: "gpu:1"}}, "other_*": {{gres: "gpu:9"}}}}
run_monitoring: {{enabled: true, start_timeout_seconds: 604800}}
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder, programs = tmp_path / "slurm", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("scontrol", SCONTROL), ("scancel", SCANCEL)):
        (programs / name).write_text(text.format(folder=folder))
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setenv("DAGSTER_HOME", "")
    return folder


@pytest.fixture
def instance(tmp_path: Path, slurm: Path) -> dg.DagsterInstance:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(CONFIGURATION.format(logs=tmp_path / "logs"))
    return open_instance(home)


@dg.job
def tiny_train() -> None: ...


def launched(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    """A run of this file's job, handed to the launcher."""
    recon = dg.build_reconstructable_job(
        "test_slurm_run_launcher",
        "job_of_this_file",
        (),
        {},
        reconstructor_working_directory=str(Path(__file__).parent),
    )
    run = instance.create_run_for_job(tiny_train, tags=tags, job_code_origin=recon.get_python_origin())
    instance.run_launcher.launch_run(LaunchRunContext(dagster_run=run, workspace=None))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def _starting(run: dg.DagsterRun) -> DagsterEvent:
    return DagsterEvent(dg.DagsterEventType.PIPELINE_STARTING.value, job_name=run.job_name)


def job_of_this_file() -> dg.JobDefinition:
    return tiny_train


def health(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, SlurmRunLauncher) and launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_run_becomes_a_job_with_its_options_and_says_where_its_output_is(
    instance: dg.DagsterInstance, slurm: Path, tmp_path: Path
) -> None:
    run = launched(instance, **{"slurm/time": "12:00:00"})
    assert run.tags[JOB_TAG] == "77"
    asked = (slurm / "asked").read_text().split()
    assert {"--parsable", "--no-requeue", "--partition=gpu", "--gres=gpu:1", "--time=12:00:00"} <= set(asked)
    assert f"--output={tmp_path}/logs/{run.run_id}.log" in asked
    script = (slurm / "script").read_text()
    assert (
        "unset TDW_SUPERVISOR" in script
        and "PYTHONSAFEPATH" in script
        and "execute_run" in script
        and run.run_id in script
    )
    messages = [event.message for event in instance.all_logs(run.run_id)]
    assert any(f"SLURM job 77; its output goes to {tmp_path}/logs" in message for message in messages)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("PENDING", WorkerStatus.RUNNING),  # for days, if need be
        ("RUNNING", WorkerStatus.RUNNING),
        ("COMPLETED", WorkerStatus.SUCCESS),
        ("NODE_FAIL", WorkerStatus.FAILED),
        ("TIMEOUT", WorkerStatus.FAILED),
        ("OUT_OF_MEMORY", WorkerStatus.FAILED),
        (None, WorkerStatus.FAILED),
    ],
)
def test_slurm_says_whether_a_run_lives(
    instance: dg.DagsterInstance, slurm: Path, state: str | None, expected: WorkerStatus
) -> None:
    run = launched(instance)
    (slurm / "77").unlink() if state is None else (slurm / "77").write_text(state)
    assert health(instance, run) == expected


def test_a_job_that_ends_before_its_run_has_begun_fails_the_run(
    instance: dg.DagsterInstance, slurm: Path
) -> None:
    run = launched(instance)
    instance.report_dagster_event(_starting(run), run_id=run.run_id)  # as Dagster does before it launches
    launcher = instance.run_launcher
    assert isinstance(launcher, SlurmRunLauncher)
    assert launcher.fail_lost_starts() == []  # it waits
    (slurm / "77").write_text("FAILED")
    assert launcher.fail_lost_starts() == [run.run_id]
    found = instance.get_run_by_id(run.run_id)
    assert found is not None and found.status == dg.DagsterRunStatus.FAILURE
    assert launcher.fail_lost_starts() == []


def test_a_controller_that_is_away_and_a_run_that_slurm_does_not_know_are_no_reason_to_fail(
    instance: dg.DagsterInstance, slurm: Path
) -> None:
    run = launched(instance)
    (slurm / "away").touch()
    assert health(instance, run) == WorkerStatus.RUNNING
    assert health(instance, instance.create_run_for_job(tiny_train)) == WorkerStatus.RUNNING


def test_a_waiting_job_is_taken_out_of_the_queue_and_a_running_one_interrupted(
    instance: dg.DagsterInstance, slurm: Path
) -> None:
    waiting = launched(instance)
    assert instance.run_launcher.terminate(waiting.run_id)
    found = instance.get_run_by_id(waiting.run_id)
    assert found is not None and found.status == dg.DagsterRunStatus.CANCELED
    running = launched(instance)
    (slurm / "77").write_text("RUNNING")
    assert instance.run_launcher.terminate(running.run_id)
    assert (slurm / "canceled").read_text().splitlines() == ["77", "--full --signal=INT 77"]
    assert not instance.run_launcher.terminate(waiting.run_id)


def test_what_slurm_refuses_is_said_in_its_own_words(instance: dg.DagsterInstance, slurm: Path) -> None:
    with pytest.raises(TdwError, match=r"invalid partition specified(.|\n)*dagster\.yaml"):
        launched(instance, **{"slurm/partition": "impossible"})


def test_a_machine_without_slurm_is_told(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TdwError, match=r"sbatch: .*No such file"):
        launched(instance)


@pytest.mark.slow
def test_the_script_of_a_job_carries_the_run_out(instance: dg.DagsterInstance, slurm: Path) -> None:
    run = launched(instance)
    subprocess.run(["sh", str(slurm / "script")], check=True, cwd=slurm)
    deadline = time.monotonic() + 60
    while (found := instance.get_run_by_id(run.run_id)) and not found.is_finished:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert found is not None and found.status == dg.DagsterRunStatus.SUCCESS
