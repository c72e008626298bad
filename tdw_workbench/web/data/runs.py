"""What the pages have Dagster asked for, where they are on its server."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig
from tdw.store.layout import STATES
from tdw_resources.links import LOCATION
from tdw_workbench.removing import describe
from tdw_workbench.web.data.densify import DENSIFY, MoreCheckpoints
from tdw_workbench.web.data.recorded import Recorded, Value, wanted_assets

if TYPE_CHECKING:
    import dagster as dg

    from tdw.store import Store
    from tdw.study import Study
    from tdw_assets.automation.planned_runs import PlannedRun
    from tdw_resources.runs.stopped import Stopped

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}


class Runs(Recorded):
    """The instance of the server that the pages are on: they can ask it for work."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        super().__init__()
        self._instance = instance

    def _ask(self, find: Callable[[dg.DagsterInstance], Value]) -> Value:
        return find(self._instance)

    def next_run(self, study: Study, store: Store, variant: str) -> Mapping[str, Any]:
        """What Dagster has to be asked for, so that it does what is to be done next of a variant.

        Raises:
            BadConfig: nothing is missing.
        """
        from tdw_assets.automation.planned_runs import plan_next
        from tdw_resources.runs.stopped import find_stopped

        for stopped in find_stopped(self._instance, study.slug):
            if (stopped.variant, stopped.stage) == (variant, DENSIFY):
                return self._again(study, store, stopped)
        planned = plan_next(wanted_assets(study), self._instance, store, variant)
        if planned is None:
            raise BadConfig(f"nothing of {variant} is missing", "there is nothing to start")
        return _launch(planned)

    def more_checkpoints(
        self, study: Study, store: Store, variant: str, epochs: Collection[int]
    ) -> MoreCheckpoints:
        """What is not recorded of these epochs of a variant, whether the study wants them or not."""
        from tdw_assets.cells.as_it_is import as_it_is

        inventory, _ = as_it_is(wanted_assets(study), self._instance, store)
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
        return _launch(more.run(wanted_assets(study)))

    def what_would_go(self, study: Study, store: Store, variant: str, *, extra: bool) -> list[str]:
        """What removing a variant, or its extra checkpoints, takes away; nothing where none of it is there.

        Raises:
            BadConfig: it is being worked on.
        """
        from tdw_assets.recording.removing import EXTRA, plan_variant, require_idle

        epochs = EXTRA if extra else None
        removal = plan_variant(wanted_assets(study), self._instance, store, variant, epochs=epochs)
        require_idle(removal, self._instance)
        return [] if removal.is_empty else describe(removal)

    def removing_run(self, study: Study, variant: str, *, extra: bool) -> Mapping[str, Any]:
        """What Dagster has to be asked for, so that they are removed."""
        from tdw_assets.automation.planned_runs import PlannedRun

        wanted = wanted_assets(study)
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
