"""What Dagster's record tells the pages: who is registered, what waits, what a person stopped."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import dagster as dg

    from tdw.study import Study
    from tdw_resources.runs.stopped import Stopped
    from tdw_resources.wanted import WantedAssets

Value = TypeVar("Value")
EVERY_S = 3.0
"""The database is asked at most that often, however many pages are open."""
_OPENING = 4
"""So much more seldom where the instance is opened anew each time, which costs 15 ms of a core."""


@dataclass(frozen=True)
class AskedFor:
    """A run of a variant.

    Attributes:
        waits: it has not begun: others go first.
        ends: a person has stopped it, and its process has not ended yet.
    """

    stage: str
    run_id: str
    waits: bool
    ends: bool


class Recorded(ABC):
    """Asks an instance now and then. Dagster is imported when it is first asked."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    _every = 1

    @abstractmethod
    def _ask(self, find: Callable[[dg.DagsterInstance], Value]) -> Value:
        """What `find` returns for the instance."""

    def stopped(self, study: Study) -> Mapping[str, Stopped]:
        """Variant -> what a person stopped of it."""
        from tdw_resources.runs.stopped import find_stopped

        def find(instance: dg.DagsterInstance) -> Mapping[str, Stopped]:
            return {each.variant: each for each in reversed(find_stopped(instance, study.slug))}

        return self._now_and_then(("stopped", study.slug), find, {})

    def asked_for(self, study: Study) -> Mapping[str, AskedFor]:
        """Variant -> its latest run that has not ended; one whose worker is dead does not count."""
        import dagster as dg

        from tdw_resources.runs.liveness import WORKER_TAG, is_alive
        from tdw_resources.runs.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG

        waits = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
        statuses = [*waits, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
        ends = dg.DagsterRunStatus.CANCELING

        def find(instance: dg.DagsterInstance) -> Mapping[str, AskedFor]:
            runs = instance.get_runs(dg.RunsFilter(tags={STUDY_TAG: study.slug}, statuses=[*statuses, ends]))
            return {
                run.tags[VARIANT_TAG]: AskedFor(
                    run.tags.get(STAGE_TAG, ""),
                    run.run_id,
                    waits=run.status in waits,
                    ends=run.status == ends,
                )
                for run in reversed(runs)  # the latest is first
                if run.tags.get(VARIANT_TAG) and is_alive(run.tags.get(WORKER_TAG, "")) is not False
            }

        return self._now_and_then(("asked for", study.slug), find, {})

    def registered(self, study: Study, *, now: bool = False) -> Sequence[str]:
        """The variants of a study as `tdw status` counts them: some are added in Dagster, some removed.

        With `now` the database is asked in any case.
        """
        from tdw_assets.cells.partitions import with_registered

        key, keys = ("registered", study.slug), study.variant_keys
        if now:
            with self._lock:
                self._kept.pop(key, None)
        return self._now_and_then(
            key,
            lambda instance: with_registered(wanted_assets(study), instance).variants,
            keys,
        )

    def _now_and_then(
        self, key: tuple[str, str], find: Callable[[dg.DagsterInstance], Value], otherwise: Value
    ) -> Value:
        """What was found at most `EVERY_S` ago; a database that is busy leaves what was known."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        try:
            found = self._ask(find)
        except Exception:  # whatever lies in the database, the pages are shown
            found = otherwise if kept is None else kept[1]
        with self._lock:
            self._kept[key] = time.monotonic() + self._every * EVERY_S, found
        return found


class RecordedAt(Recorded):
    """The instance of a home, which may be somebody else's: nothing is written there."""

    _every = _OPENING

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home = home

    def _ask(self, find: Callable[[dg.DagsterInstance], Value]) -> Value:
        from tdw_resources.reading import read_instance

        return read_instance(self._home, lambda reading: find(reading.instance))


def wanted_assets(study: Study) -> WantedAssets:
    """A study as Dagster knows it."""
    from tdw_resources.wanted import WantedAssets

    return WantedAssets.of(study)
