"""What Dagster's record tells the pages: who is registered, what a person stopped, what comes next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig
from tdw.store.layout import STATES
from tdw_resources.links import LOCATION
from tdw_workbench.removing import describe
from tdw_workbench.web.data.densify import DENSIFY, MoreCheckpoints

if TYPE_CHECKING:
    import dagster as dg

    from tdw.store import Store
    from tdw.study import Study
    from tdw_assets.automation.planned_runs import PlannedRun
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
        from tdw_assets.automation.stopped import find_stopped, plan_next

        for stopped in find_stopped(self._instance, study.slug):
            if (stopped.variant, stopped.stage) == (variant, DENSIFY):
                return self._again(study, store, stopped)
        planned = plan_next(self._wanted(study), self._instance, store, variant)
        if planned is None:
            raise BadConfig(f"nothing of {variant} is missing", "there is nothing to start")
        return _launch(planned)

    def more_checkpoints(
        self, study: Study, store: Store, variant: str, epochs: Collection[int]
    ) -> MoreCheckpoints:
        """What is not recorded of these epochs of a variant, whether the study wants them or not."""
        from tdw_assets.automation.work_in_progress import as_it_is

        inventory, _ = as_it_is(self._wanted(study), self._instance, store)
        cells = inventory.gaps_of(variant).cells
        missing = {name: tuple(sorted(set(epochs) - of.recorded.keys())) for name, of in cells.items()}
        states = tuple(store.epochs(study.family, variant, STATES))
        return MoreCheckpoints(variant, {name: of for name, of in missing.items() if of}, states)

    def densifying_run(
        self, study: Study, store: Store, variant: str, epochs: Collection[int]
    ) -> Mapping[str, Any]:
        """What Dagster has to be asked for, so that a variant has these epochs, analyzed.

        Raises:
            BadConfig: it has them.
        """
        more = self.more_checkpoints(study, store, variant, epochs)
        if not more.cells:
            raise BadConfig(f"{variant} has all of these checkpoints, analyzed", "choose other epochs")
        return _launch(more.run(self._wanted(study)))

    def what_would_go(self, study: Study, store: Store, variant: str, *, extra: bool) -> list[str]:
        """What removing a variant, or its extra checkpoints, takes away; nothing where none of it is there.

        Raises:
            BadConfig: it is being worked on.
        """
        from tdw_assets.recording.removing import EXTRA, plan_variant, require_idle

        epochs = EXTRA if extra else None
        removal = plan_variant(self._wanted(study), self._instance, store, variant, epochs=epochs)
        require_idle(removal, self._instance)
        return [] if removal.is_empty else describe(removal)

    def removing_run(self, study: Study, variant: str, *, extra: bool) -> Mapping[str, Any]:
        """What Dagster has to be asked for, so that they are removed."""
        from tdw_assets.automation.planned_runs import PlannedRun

        wanted = self._wanted(study)
        config = {"variant": variant, "files": not extra, "extra_epochs": extra}
        ops = {wanted.named("remove_variant_op"): {"config": config}}
        return _launch(PlannedRun(wanted.named("remove_variant"), (), {}, {"ops": ops}))

    def _again(self, study: Study, store: Store, stopped: Stopped) -> Mapping[str, Any]:
        """What is left of a densifying that a person stopped."""
        run = self._instance.get_run_by_id(stopped.run_id)
        config: Mapping[str, Any] = run.run_config if run else {}
        listed = [
            text
            for op in config.get("ops", {}).values()
            for of in op["config"]["cells"].values()
            for text in of
        ]
        return self.densifying_run(study, store, stopped.variant, parse_epochs(listed))

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


def _launch(planned: PlannedRun) -> Mapping[str, Any]:
    """`ExecutionParams` of Dagster's GraphQL."""
    of_partition = {"dagster/partition": planned.partition_key} if planned.partition_key else {}
    return {
        "selector": {
            **REPOSITORY,
            "jobName": planned.job,
            "assetSelection": [{"path": list(key.path)} for key in planned.assets],
            "assetCheckSelection": [],
        },
        "runConfigData": dict(planned.run_config),
        "executionMetadata": {
            "tags": [{"key": key, "value": value} for key, value in {**planned.tags, **of_partition}.items()]
        },
    }
