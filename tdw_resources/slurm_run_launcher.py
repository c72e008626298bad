"""A run launcher for SLURM: each Dagster run is one job. Configured in dagster.yaml.

SLURM knows whether a job waits, runs or is gone, so a run that waits in the queue for days is not failed, and
one whose node died is. What a lost job has finished stays; a new run does the rest.
"""

from __future__ import annotations

import fnmatch
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from tdw.errors import TdwError
from tdw_resources.dagster_internals import (
    CheckRunHealthResult,
    ConfigurableClass,
    ConfigurableClassData,
    ExecuteRunArgs,
    LaunchRunContext,
    RunLauncher,
    UserConfigSchema,
    WorkerStatus,
)
from tdw_resources.runs.liveness import SUPERVISOR_VARIABLE

JOB_TAG = "slurm/job_id"
_OPTION_TAG = "slurm/"
_ALIVE = frozenset({"PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING"})
_NO_VERDICT = "UNKNOWN"


class SlurmRunLauncher(RunLauncher, ConfigurableClass):
    """Submits runs with `sbatch`.

    Args:
        logs: folder for the jobs' output, on a disk that nodes and workbench share.
        options: long options of `sbatch` for every job, such as {partition: gpu, time: "04:00:00"}.
        by_job: the same for jobs whose name matches a pattern, such as {"*_train": {gres: "gpu:1"}}.
            A tag of the run, `slurm/time: "12:00:00"`, say, goes before both.
    """

    def __init__(
        self,
        logs: str,
        options: Mapping[str, Any] | None = None,
        by_job: Mapping[str, Mapping[str, Any]] | None = None,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        self._logs, self._options, self._by_job = Path(logs), dict(options or {}), dict(by_job or {})
        self._inst_data = inst_data
        super().__init__()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What Dagster makes it from again in another process."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Fields in dagster.yaml."""
        permissive = dg.Field(dg.Permissive(), is_required=False)
        return {"logs": dg.StringSource, "options": permissive, "by_job": permissive}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> SlurmRunLauncher:
        """Called by Dagster with what stands in dagster.yaml."""
        return cls(**config_value, inst_data=inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        """Submit a job that executes the run.

        Raises:
            TdwError: SLURM refuses it; with SLURM's own words.
        """
        run = context.dagster_run
        origin = run.job_code_origin
        if origin is None:
            raise TdwError(f"run {run.run_id} does not say where its code is", "launch it from the workbench")
        command = ExecuteRunArgs(
            job_origin=origin,
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        ).get_command_args()
        self._logs.mkdir(parents=True, exist_ok=True)
        output = self._logs / f"{run.run_id}.log"
        options = {"job-name": run.job_name, "output": str(output)} | self._options_of(run)
        # The workbench may end before the job does. A job that SLURM starts again would find a run that has
        # begun already: what is left is done by a new run.
        if command[0] == "dagster":  # what the code location was started with does not say which Python
            command = [sys.executable, "-m", *command]
        # Nothing is imported from the folder where the job happens to start.
        lines = [f"unset {SUPERVISOR_VARIABLE}", "export PYTHONSAFEPATH=1", f"exec {shlex.join(command)}"]
        script = "\n".join(["#!/bin/sh", *lines, ""])
        asked = ["sbatch", "--parsable", "--no-requeue"]
        asked += [f"--{name}" if value is True else f"--{name}={value}" for name, value in options.items()]
        answer = _ask(asked, script)
        if answer.returncode:
            raise TdwError(
                f"SLURM refused run {run.run_id}: {answer.stderr.strip()[:500]}",
                "mend `options` or `by_job` of the run launcher in dagster.yaml, or the run's slurm/ tags",
            )
        job = answer.stdout.strip().split(";")[0]
        self._instance.add_run_tags(run.run_id, {JOB_TAG: job})
        self._instance.report_engine_event(
            f"SLURM job {job}; its output goes to {output}", run, cls=type(self)
        )

    def _options_of(self, run: dg.DagsterRun) -> dict[str, Any]:
        found = dict(self._options)
        for pattern, options in self._by_job.items():
            if fnmatch.fnmatchcase(run.job_name, pattern):
                found |= options
        for name, value in run.tags.items():
            if name.startswith(_OPTION_TAG) and name != JOB_TAG:
                found[name.removeprefix(_OPTION_TAG)] = value
        return found

    def terminate(self, run_id: str) -> bool:
        """Take a waiting job out of the queue, or interrupt a running one: it keeps what it has finished."""
        run = self._instance.get_run_by_id(run_id)
        job = run.tags.get(JOB_TAG) if run and not run.is_finished else None
        if run is None or job is None:
            return False
        self._instance.report_run_canceling(run)
        if self._state(job) == "PENDING":
            if _ask(["scancel", job]).returncode:
                return False
            self._instance.report_run_canceled(run)
            return True
        return _ask(["scancel", "--full", "--signal=INT", job]).returncode == 0

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Makes Dagster's run monitoring ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """What SLURM says of the job. Runs that it did not start, as of `tdw fill`, are not judged here."""
        job = run.tags.get(JOB_TAG)
        if job is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        state = self._state(job)
        if state in _ALIVE or state == _NO_VERDICT:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        status = WorkerStatus.SUCCESS if state == "COMPLETED" else WorkerStatus.FAILED
        message = f"SLURM job {job}, whose output is in {self._logs}, was {state}"
        return CheckRunHealthResult(status, message)

    def fail_lost_starts(self) -> list[str]:
        """Fail runs whose job ended before the run had begun; the run ids.

        Dagster's monitoring asks after the job of a run that has begun only: one that has not may be waiting.
        """
        starting = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])
        failed: list[str] = []
        for run in self._instance.get_runs(starting):
            health = self.check_run_worker_health(run)
            if health.status == WorkerStatus.RUNNING:
                continue
            again = self._instance.get_run_by_id(run.run_id)
            if again is not None and again.status == dg.DagsterRunStatus.STARTING:
                self._instance.report_run_failed(run, f"{health.msg} before the run had begun")
                failed.append(run.run_id)
        return failed

    def _state(self, job: str) -> str:
        answer = _ask(["scontrol", "--oneliner", "show", "job", job])
        if answer.returncode and "Invalid job id" not in answer.stderr:
            return _NO_VERDICT  # the controller is away for a moment
        words = (word.removeprefix("JobState=") for word in answer.stdout.split() if "JobState=" in word)
        return next(words, "gone")


def _ask(command: list[str], script: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, input=script, text=True, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", f"{command[0]}: {error}")
