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
    from tdw_assets.automation.stopped import Stopped
    from tdw_assets.cells.wanted import WantedAssets

Value = TypeVar("Value")
EVERY_S = 3.0
"""The database is asked at most that often, however many pages are open."""


@dataclass(frozen=True)
class Waiting:
    """An unfinished run.

    Attributes:
        has_begun: its worker is there, or about to be; otherwise others go first.
    """

    stage: str
    run_id: str
    has_begun: bool


class Recorded(ABC):
    """Asks an instance now and then. Dagster is imported when it is first asked."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def _ask(self, find: Callable[[dg.DagsterInstance], Value]) -> Value:
        """What `find` returns for the instance."""

    def stopped(self, study: Study) -> Mapping[str, Stopped]:
        """Variant -> what a person stopped of it."""
        from tdw_assets.automation.stopped import find_stopped

        def find(instance: dg.DagsterInstance) -> Mapping[str, Stopped]:
            return {each.variant: each for each in reversed(find_stopped(instance, study.slug))}

        return self._now_and_then(("stopped", study.slug), find, {})

    def waiting(self, study: Study) -> Mapping[str, Waiting]:
        """Variant -> its unfinished run, which need not have begun."""
        import dagster as dg

        def find(instance: dg.DagsterInstance) -> Mapping[str, Waiting]:
            queued = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
            begun = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
            of_study = dg.RunsFilter(tags={STUDY_TAG: study.slug}, statuses=[*queued, *begun])
            return {
                run.tags[VARIANT_TAG]: Waiting(run.tags.get(STAGE_TAG, ""), run.run_id, run.status in begun)
                for run in instance.get_runs(of_study)
                if run.tags.get(VARIANT_TAG) and is_alive(run.tags.get(WORKER_TAG, "")) is not False
            }

        from tdw_assets.automation.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG
        from tdw_resources.runs.liveness import WORKER_TAG, is_alive

        return self._now_and_then(("waiting", study.slug), find, {})

    def registered(self, study: Study) -> Sequence[str]:
        """The variants of a study as `tdw status` counts them: some are added in Dagster, some removed."""
        from tdw_assets.cells.partitions import with_registered

        keys = study.variant_keys
        return self._now_and_then(
            ("registered", study.slug),
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
            self._kept[key] = time.monotonic() + EVERY_S, found
        return found


class RecordedAt(Recorded):
    """The instance of a home, which may be somebody else's: nothing is written there."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home = home

    def _ask(self, find: Callable[[dg.DagsterInstance], Value]) -> Value:
        from tdw_resources.reading import read_instance

        return read_instance(self._home, lambda reading: find(reading.instance))


def wanted_assets(study: Study) -> WantedAssets:
    """A study as Dagster knows it."""
    from tdw_assets.cells.wanted import WantedAssets

    return WantedAssets.of(study)
