"""What Dagster's record tells the pages: who is registered, what a person stopped, what comes next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tdw.errors import BadConfig
from tdw_resources.links import LOCATION

if TYPE_CHECKING:
    import dagster as dg

    from tdw.store import Store
    from tdw.study import Study
    from tdw_assets.automation.stopped import Stopped
    from tdw_assets.cells.wanted import WantedAssets

Value = TypeVar("Value")
EVERY_S = 3.0
"""The database is asked at most that often, however many pages are open."""
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}


class Runs:
    """Reads the instance of the server that the pages are on. Dagster is imported when it is first asked."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._kept: dict[tuple[str, str], tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def stopped(self, study: Study) -> Mapping[str, Stopped]:
        """Variant -> what a person stopped of it."""
        from tdw_assets.automation.stopped import find_stopped

        def find() -> Mapping[str, Stopped]:
            return {each.variant: each for each in reversed(find_stopped(self._instance, study.slug))}

        return self._now_and_then(("stopped", study.slug), find, {})

    def waiting(self, study: Study) -> Mapping[str, tuple[str, str]]:
        """Variant -> (stage, id) of a run that has not begun: others go first."""
        import dagster as dg

        def find() -> Mapping[str, tuple[str, str]]:
            statuses = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
            runs = self._instance.get_runs(dg.RunsFilter(tags={STUDY_TAG: study.slug}, statuses=statuses))
            tags = ((run.run_id, run.tags) for run in runs)
            return {of[VARIANT_TAG]: (of.get(STAGE_TAG, ""), id) for id, of in tags if of.get(VARIANT_TAG)}

        from tdw_assets.automation.tags import STAGE_TAG, STUDY_TAG, VARIANT_TAG

        return self._now_and_then(("waiting", study.slug), find, {})

    def registered(self, study: Study) -> Sequence[str]:
        """The variants of a study as `tdw status` counts them: some are added in Dagster, some removed."""
        from tdw_assets.cells.partitions import with_registered

        keys = study.variant_keys
        return self._now_and_then(
            ("registered", study.slug),
            lambda: with_registered(self._wanted(study), self._instance).variants,
            keys,
        )

    def next_run(self, study: Study, store: Store, variant: str) -> Mapping[str, Any]:
        """What Dagster has to be asked for, so that it does what is to be done next of a variant.

        Raises:
            BadConfig: nothing is missing.
        """
        from tdw_assets.automation.stopped import plan_next

        planned = plan_next(self._wanted(study), self._instance, store, variant)
        if planned is None:
            raise BadConfig(f"nothing of {variant} is missing", "there is nothing to start")
        return _launch(planned.job, planned.assets, planned.tags, planned.run_config, planned.partition_key)

    def _wanted(self, study: Study) -> WantedAssets:
        from tdw_assets.cells.wanted import WantedAssets

        return WantedAssets.of(study)

    def _now_and_then(self, key: tuple[str, str], find: Callable[[], Value], otherwise: Value) -> Value:
        """What was found at most `EVERY_S` ago; a database that is busy leaves what was known."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and time.monotonic() < kept[0]:
            return kept[1]
        try:
            found = find()
        except Exception:  # whatever lies in the database, the pages are shown
            found = otherwise if kept is None else kept[1]
        with self._lock:
            self._kept[key] = time.monotonic() + EVERY_S, found
        return found


def _launch(
    job: str,
    assets: Sequence[dg.AssetKey],
    tags: Mapping[str, str],
    config: Mapping[str, Any],
    partition: str | None,
) -> Mapping[str, Any]:
    """`ExecutionParams` of Dagster's GraphQL."""
    of_partition = {"dagster/partition": partition} if partition else {}
    return {
        "selector": {
            **REPOSITORY,
            "jobName": job,
            "assetSelection": [{"path": list(key.path)} for key in assets],
            "assetCheckSelection": [],
        },
        "runConfigData": dict(config),
        "executionMetadata": {
            "tags": [{"key": key, "value": value} for key, value in {**tags, **of_partition}.items()]
        },
    }
