"""All definitions of the quick start as text: `make snapshot` writes definitions.txt, a test compares it.

So a change of a key, partition, dependency, job or check is seen in the review of the commit that makes it.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from tdw.study import load_study
from tdw_assets.build import build_defs

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_name("definitions.txt")


def describe() -> str:
    """One line per definition and property, sorted, so that a difference reads well."""
    defs = build_defs(load_study(ROOT / "studies" / "quickstart"))
    return "\n".join([*_assets(defs), *_checks(defs), *_automation(defs)]) + "\n"


def _assets(defs: dg.Definitions) -> Iterator[str]:
    for spec in sorted(defs.resolve_all_asset_specs(), key=lambda spec: spec.key):
        yield f"asset {spec.key.to_user_string()}"
        kinds, owners = ", ".join(sorted(spec.kinds)), ", ".join(spec.owners)
        yield f"  group {spec.group_name}  kinds {kinds}  owners {owners}"
        yield f"  partitions {_partitions(spec.partitions_def)}"
        yield from sorted(f"  needs {dep.asset_key.to_user_string()}" for dep in spec.deps)


def _partitions(of: dg.PartitionsDefinition | None) -> str:
    if isinstance(of, dg.MultiPartitionsDefinition):
        return " x ".join(f"{part.name} ({_partitions(part.partitions_def)})" for part in of.partitions_defs)
    if isinstance(of, dg.StaticPartitionsDefinition):
        keys = of.get_partition_keys()
        return f"{len(keys)} static, {keys[0]} to {keys[-1]}"
    return f"dynamic {of.name}" if isinstance(of, dg.DynamicPartitionsDefinition) else "none"


def _checks(defs: dg.Definitions) -> Iterator[str]:
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        by = _partitions(graph.get(key).partitions_def)
        yield f"check {key.asset_key.to_user_string()}: {key.name}  partitions {by}"


def _automation(defs: dg.Definitions) -> Iterator[str]:
    repository = defs.get_repository_def()
    for job in sorted(repository.get_all_jobs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            ops = sorted(node.name for node in job.nodes_in_topological_order)
            yield f"job {job.name}  ops {', '.join(ops)}"
    for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name):
        jobs = sorted(job.name for job in sensor.jobs)
        yield f"sensor {sensor.name}  every {sensor.minimum_interval_seconds} s  jobs {', '.join(jobs)}"
    for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name):
        yield f"schedule {schedule.name}  at {schedule.cron_schedule}  job {schedule.job_name}"
    for name in sorted(repository.get_top_level_resources()):
        yield f"resource {name}"


if __name__ == "__main__":
    FILE.write_text(describe())
    print(f"written: {FILE}")
