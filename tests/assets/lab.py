"""A tiny study (p=7, a handful of epochs) with an instance and a store of its own, and its automation."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import dagster as dg

from tdw.inventory.plan import Task
from tdw.inventory.versions import DataVersion
from tdw.reconcile.seen import Seen
from tdw.reconcile.tick import Tick
from tdw.store import Store
from tdw.study import Study, parse_study
from tdw.training.environment import code_version
from tdw_assets.assets.requested_cells import cells_config, range_tags
from tdw_assets.automation.planned_runs import plan_run
from tdw_assets.automation.sensor import look
from tdw_assets.build import build_defs
from tdw_resources.events.data_versions import tags
from tdw_resources.events.partition_keys import cell_key
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets

V1, V2 = "p7_s1_d598", "p7_s2_d598"


def tiny_study(**changes: object) -> Study:
    values: dict[str, object] = {
        "name": "tiny",
        "variants": [V1, V2],
        "epochs": 6,
        "checkpoints": [0, 2, 4, 6],
        "early_epoch": 2,
        "training": {"state_every": 3, "test_every": 2, "device": "cpu"},
    }
    return parse_study({**values, **changes})


@dataclass
class Lab:
    """A study with its instance, store and definitions."""

    wanted: WantedAssets
    instance: dg.DagsterInstance
    store: Store

    @property
    def resources(self) -> dict[str, object]:
        return {"store": StoreResource(root=str(self.store.root))}

    @property
    def defs(self) -> dg.Definitions:
        return build_defs(self.wanted, resource_overrides=self.resources)

    def run(self, job: str, **kwargs: object) -> dg.ExecuteInProcessResult:
        return self.defs.resolve_job_def(self.wanted.named(job)).execute_in_process(
            instance=self.instance, raise_on_error=False, **kwargs
        )

    def fill(self, job: str, variant: str, cells: Mapping[str, tuple[int, ...]]) -> dg.ExecuteInProcessResult:
        """A run over exactly these cells, as fill and sensor make them."""
        op = {"train": "train_checkpoints", "analyze": "analyze_checkpoints"}[job]
        return self.run(
            job,
            asset_selection=[self.wanted.key(name) for name in cells],
            run_config={"ops": {self.wanted.named(op): {"config": cells_config(variant, cells)}}},
            tags=range_tags(variant, set().union(*cells.values())),
        )

    def with_study(self, **changes: object) -> "Lab":
        """The same store and instance under a changed study."""
        return Lab(WantedAssets.of(tiny_study(**changes)), self.instance, self.store)

    def record_checkpoint_as_changed(self, variant: str, epoch: int) -> None:
        """As if training had given other weights: the event log records another fingerprint."""
        version = DataVersion(self.wanted.checkpoint_spec(variant), "-", "0123456789ab")
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(
                self.wanted.checkpoint,
                partition=cell_key(variant, epoch),
                tags=tags(version, code_version=code_version(self.wanted.family), inputs=[]),
            )
        )

    def done(self, name: str) -> set[str]:
        return set(self.instance.get_materialized_partitions(self.wanted.key(name)))

    def failed(self, name: str) -> set[str]:
        """Partitions that were announced and not materialized since: red in the UI once their run ended."""
        log = self.instance.event_log_storage
        return set(
            log.get_latest_asset_partition_materialization_attempts_without_materializations(
                self.wanted.key(name)
            )
        )

    def events(self, name: str) -> list[str]:
        """Partitions of an asset's materializations, oldest first; each as often as it was recorded."""
        return self.events_of(self.wanted.key(name))

    def events_of(self, key: dg.AssetKey) -> list[str]:
        """The same for any asset."""
        records = self.instance.fetch_materializations(key, limit=1000, ascending=True).records
        return [str(record.partition_key) for record in records]


class Automation:
    """Ticks, and carries out what they ask for, as the daemon would."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.seen, self.done = lab, Seen(), Counter[tuple[str, str]]()
        self.checks = 0

    def tick(self) -> Tick:
        result = look(self.lab.wanted, self.lab.instance, self.lab.store, self.seen)
        self.seen = result.seen
        return result

    def carry_out(self, task: Task) -> dg.ExecuteInProcessResult:
        if task.stage == "check":
            self.checks += 1
        else:
            self.done[task.stage, task.variant] += 1
        planned = plan_run(self.lab.wanted, task)
        return self.lab.run(
            task.stage,
            asset_selection=list(planned.assets) or None,
            run_config=dict(planned.run_config),
            partition_key=planned.partition_key,
            tags=planned.tags,
        )

    def until_rest(self, most: int = 20) -> list[str]:
        """Tick until nothing is asked for; the notes of the last tick."""
        for _ in range(most):
            result = self.tick()
            if not result.tasks and not result.seen.queue:
                return result.notes
            for task, _attempt in result.tasks:
                self.carry_out(task)
        raise AssertionError(f"no rest after {most} ticks: {self.done}")
