"""The default run launcher, which can also tell whether a run's worker still lives, and stop any worker.

Without it a run that died with its code server (power cut, kill -9) stays STARTED and blocks its pool. With
it, Dagster's run monitoring marks the run as failed within a minute, and retries or the reconcile sensor go
on. Runs of `tdw fill`, which no code server knows, are told apart by their worker's identity. Runs of another
machine are never judged here: see `heartbeat`.
"""

from __future__ import annotations

import socket

import dagster as dg

from tdw_resources.dagster_internals import (
    CanCancelExecutionRequest,
    CanCancelExecutionResult,
    CheckRunHealthResult,
    LaunchRunContext,
    WorkerStatus,
)
from tdw_resources.runs.liveness import LAUNCHED_BY_TAG, WORKER_TAG, host_of, interrupt, is_alive
from tdw_resources.runs.own_runs import is_ours


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Launches runs through the code server, as by default. Configured in dagster.yaml."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Makes Dagster's run monitoring ask."""
        return True

    def launch_run(self, context: LaunchRunContext) -> None:
        """As by default; the run is signed with this machine, so that another one leaves it alone."""
        self._instance.add_run_tags(context.dagster_run.run_id, {LAUNCHED_BY_TAG: socket.gethostname()})
        super().launch_run(context)

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the worker lives, NOT_FOUND when it is known to be gone.

        A run of another project in the same home is none of our business: it counts as running, as it does
        with the default launcher, which can't tell; so does one of another machine.
        """
        launched_by = run.tags.get(LAUNCHED_BY_TAG) or host_of(run.tags.get(WORKER_TAG, ""))
        if not is_ours(run) or launched_by not in ("", socket.gethostname()):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        alive = is_alive(run.tags.get(WORKER_TAG, ""))
        if alive is not None:
            return (
                CheckRunHealthResult(WorkerStatus.RUNNING)
                if alive
                else CheckRunHealthResult(
                    WorkerStatus.NOT_FOUND, "the process that worked on this run is gone"
                )
            )
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "no worker and no code server is recorded")
        try:
            reply = dg.deserialize_value(
                client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=5),
                CanCancelExecutionResult,
            )
        except Exception as error:
            return CheckRunHealthResult(
                WorkerStatus.NOT_FOUND, f"the code server can't be reached ({type(error).__name__})"
            )
        if reply.can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code server does not know this run")

    def terminate(self, run_id: str) -> bool:
        """Stop a run through its code server, or its worker itself when that runs outside of one."""
        run = self._instance.get_run_by_id(run_id)
        worker = run.tags.get(WORKER_TAG, "") if run and not run.is_finished else ""
        if run is None or not worker or self._get_grpc_client_for_termination(run_id) is not None:
            return super().terminate(run_id)
        self._instance.report_run_canceling(run)
        return interrupt(worker)
