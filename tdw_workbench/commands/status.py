"""Show what is there, missing, out of date and failed, by variant and asset.

A cell is missing without a file, unrecorded with a file that Dagster does not know of (a fill takes it over),
out of date when its code, parameters or checkpoint changed. Exit code 0 whatever is found.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tdw.store import Store
from tdw.study import Study, load_study
from tdw_resources.places import Places, find_places
from tdw_workbench.cli import add_places
from tdw_workbench.terminal import count

if TYPE_CHECKING:
    import dagster as dg

    from tdw_assets.derived import DerivedGap
    from tdw_assets.gaps import AssetGaps
    from tdw_assets.grid import Grid

_FAILED_RUNS = 20
_CELLS = ("there", "missing", "unrecorded", "out_of_date")
Counts = dict[str, int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw status`."""
    add_places(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")


def run(options: argparse.Namespace) -> int:
    """Look, and print."""
    from tdw_resources.instance import open_instance

    places = find_places(options.store, study=options.study)
    study = load_study(places.study)
    with open_instance(places.home) as instance:
        found = look(places, study, instance)
    print(json.dumps(found, indent=1) if options.json else _as_text(found))
    return 0


def look(places: Places, study: Study, instance: dg.DagsterInstance) -> dict[str, Any]:
    """How everything of a study stands, JSON-able: by variant and asset, over variants, runs."""
    from tdw_assets.derived import find_comparison_gaps, find_derived_gaps
    from tdw_assets.gaps import find_gaps
    from tdw_assets.grid import Grid
    from tdw_assets.partitions import with_registered
    from tdw_resources.progress import read_progress

    grid, store = with_registered(Grid.of(study), instance), Store(places.store)
    cells = find_gaps(grid, instance, store)
    derived = find_derived_gaps(grid, instance, store, cells).gaps
    over_all = find_comparison_gaps(grid, instance, store).gaps
    variants: dict[str, dict[str, Counts]] = {}
    for variant, gaps in cells.items():
        assets = {"checkpoint": _cells(grid, gaps.checkpoint)}
        assets |= {name: _cells(grid, asset) for name, asset in gaps.analyzers.items()}
        assets["history"] = {"there": int(gaps.history is not None), "missing": int(gaps.history is None)}
        assets |= {gap.asset.name: _derived(gap) for gap in derived if gap.variant == variant}
        variants[variant] = assets
    return {
        "study": grid.name,
        "store": places.store,
        "scheduled_epochs": len(grid.epochs),
        "variants": variants,
        "comparison": {gap.asset.name: _derived(gap) for gap in over_all},
        "running": [{"stage": work.stage, "text": work.text} for work in read_progress(places.home)],
        "failed_runs": _failed(instance),
    }


def _cells(grid: Grid, asset: AssetGaps) -> Counts:
    return {
        "there": len(grid.epoch_set & asset.recorded.keys()) - len(asset.out_of_date),
        "missing": len(asset.missing),
        "unrecorded": len(asset.unrecorded),
        "out_of_date": len(asset.out_of_date),
        "beyond_schedule": len(asset.orphaned),
    }


def _derived(gap: DerivedGap) -> Counts:
    there = {"done": "there", "waiting": "missing"}.get(gap.state, gap.state)
    return {there: 1}


def _failed(instance: dg.DagsterInstance) -> list[dict[str, str]]:
    """The latest failed runs for which no later run of the same gap succeeded."""
    import dagster as dg

    from tdw_assets.plan import REQUEST_TAG, STAGE_TAG, VARIANT_TAG

    failed: list[dict[str, str]] = []
    for one in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=_FAILED_RUNS):
        tags = {key: one.tags[key] for key in (STAGE_TAG, VARIANT_TAG, REQUEST_TAG) if key in one.tags}
        later = instance.get_runs(dg.RunsFilter(tags=tags), limit=1) if tags else []
        if not later or later[0].run_id == one.run_id:
            who = one.tags.get(VARIANT_TAG) or "all variants"
            failed.append({"run_id": one.run_id, "job": one.job_name, "variant": who})
    return failed


def _as_text(found: Mapping[str, Any]) -> str:
    lines = [f"Study {found['study']} in {found['store']}: {found['scheduled_epochs']} scheduled epochs", ""]
    head: tuple[str, ...] = ("variant", "checkpoints", "artifacts", "tables, plots", "to do")
    rows: list[tuple[str, ...]] = [head]
    for variant, assets in found["variants"].items():
        checkpoint = assets["checkpoint"]
        derived = [counts for name, counts in assets.items() if "/" in name]
        analyzers = [
            counts
            for name, counts in assets.items()
            if "/" not in name and name not in ("checkpoint", "history")
        ]
        todo = sum((Counter(counts) for counts in assets.values()), Counter[str]())
        rows.append(
            (
                variant,
                _of([checkpoint]),
                _of(analyzers),
                _of(derived),
                ", ".join(f"{todo[name]:,} {name.replace('_', ' ')}" for name in _CELLS[1:] if todo[name])
                or "nothing",
            )
        )
    if found["comparison"]:
        rows.append(("all variants", "", "", _of(list(found["comparison"].values())), ""))
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines += [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    if found["running"]:
        lines += ["", "Running:", *(f"  {work['stage']:9} {work['text']}" for work in found["running"])]
    if found["failed_runs"]:
        lines += ["", f"{count(len(found['failed_runs']), 'failed run')} with nothing later:"]
        lines += [f"  {one['run_id'][:8]}  {one['job']} of {one['variant']}" for one in found["failed_runs"]]
    stale = sum(c.get("out_of_date", 0) for assets in found["variants"].values() for c in assets.values())
    if stale:
        lines += ["", "`tdw fill --out-of-date` computes again what is out of date."]
    return "\n".join(lines)


def _of(counts: list[Counts]) -> str:
    there, total = (
        sum(c.get("there", 0) for c in counts),
        sum(sum(c.get(n, 0) for n in _CELLS) for c in counts),
    )
    return f"{there:,} of {total:,}"
