"""Signs of life in the database: the only ones that other machines can see.

On one machine a worker's process tells whether it lives (`liveness`). Where machines share a database,
every worker writes another number there from time to time, and who looks keeps the time since it last
changed, by a clock of its own: the clocks of machines differ.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import dagster as dg

from tdw_resources.dagster_internals import SqliteRunStorage
from tdw_resources.runs.liveness import STOPPED_TAG, WORKER_TAG, identity, is_alive
from tdw_resources.runs.own_runs import unfinished_runs

EVERY_S = 10.0
SILENT_S = 45.0
_KEY = "tdw/heartbeat/"


def is_shared(instance: dg.DagsterInstance) -> bool:
    """Whether other machines can work on the same instance. SQLite files belong to one."""
    return instance.is_persistent and not isinstance(instance.run_storage, SqliteRunStorage)


@contextlib.contextmanager
def beating(instance: dg.DagsterInstance, *, every_s: float = EVERY_S) -> Generator[None]:
    """Give signs of life of this process, while the block lasts."""
    over = threading.Event()

    def beat() -> None:
        while True:
            # Never the same number twice, not in the next run of this process either: else it seems silent.
            sign = {_KEY + identity(): str(time.time_ns())}
            # A database that is away for a moment is no reason to die: the next beat tells the same.
            with contextlib.suppress(Exception):
                instance.run_storage.set_cursor_values(sign)
            if over.wait(every_s):
                return

    thread = threading.Thread(target=beat, name="tdw-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class Listener:
    """Ends the runs whose worker has fallen silent, on this machine and on others.

    One that never gave a sign is unknown. A run of this machine is usually ended before that, by the launcher
    that started it; Celery's can't tell that a worker is dead.

    Attributes:
        silent_s: seconds without a new sign after which a worker counts as gone.
    """

    silent_s: float = SILENT_S
    _silence: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    _looked: float = field(default_factory=time.monotonic)

    def end_silent_runs(self, instance: dg.DagsterInstance) -> list[str]:
        """Listen once, and end what has been silent for too long; the run ids.

        They count as stopped, not as failed, so that they use up no attempt and are taken up again.
        """
        workers = {run.tags.get(WORKER_TAG, ""): run for run in unfinished_runs(instance)}
        unseen = {worker: run for worker, run in workers.items() if worker and not is_alive(worker)}
        keys = {_KEY + worker for worker in unseen}
        signs = instance.run_storage.get_cursor_values(keys) if keys else {}
        now = time.monotonic()
        # While nobody could listen, a database that was away, say, nobody could speak either.
        waited = min(now - self._looked, 2 * EVERY_S)
        before, self._silence, self._looked = self._silence, {}, now
        ended: list[str] = []
        for worker, run in unseen.items():
            sign = signs.get(_KEY + worker)
            if sign is None:
                continue
            last, silence = before.get(worker, ("", 0.0))
            silence = silence + waited if last == sign else 0.0
            self._silence[worker] = sign, silence
            if silence >= self.silent_s:
                instance.add_run_tags(run.run_id, {STOPPED_TAG: "true"})
                instance.report_run_failed(
                    run, f"Its worker {worker} has given no sign of life for {self.silent_s:g} seconds."
                )
                ended.append(run.run_id)
        return ended
