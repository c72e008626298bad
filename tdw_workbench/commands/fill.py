"""Fill what is missing: train, analyze, summarize and plot, through Dagster, on all cores.

Computes exactly the cells that are missing and records each in Dagster's event log, as a run of one variant
and stage. Needs no server. Can be stopped at any time (Ctrl-C) and started again; what is done stays done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from tdw.errors import BadConfig
from tdw.study import Study, load_study
from tdw.training.progress import format_seconds
from tdw.training.schedule import format_epochs, parse_epochs
from tdw_resources.places import Places, find_places
from tdw_workbench.cli import add_places
from tdw_workbench.effort import Effort, size_of
from tdw_workbench.order import Order, close_over_inputs
from tdw_workbench.pool import Pool
from tdw_workbench.terminal import Screen, count, overall

_EVERY_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw fill`."""
    add_places(parser)
    parser.add_argument(
        "--variant", metavar="KEY", action="append", default=[], help="only this variant; may be given again"
    )
    parser.add_argument(
        "--epochs",
        metavar="EPOCHS",
        action="append",
        default=[],
        help="only these epochs: 0,1,2 or 0:1500:100 (both ends included); may be given again",
    )
    parser.add_argument(
        "--assets",
        metavar="NAME",
        action="append",
        default=[],
        help="only these assets and what they are made from; may be given again, or joined by commas",
    )
    parser.add_argument(
        "--out-of-date", action="store_true", help="also cells whose code, parameters or checkpoint changed"
    )
    parser.add_argument("--workers", metavar="N", type=int, help="worker processes (default: one a core)")


def run(options: argparse.Namespace) -> int:
    """Fill."""
    from tdw_resources.instance import cores, fail_dead_runs, open_instance, size_pools

    places = find_places(options.store, study=options.study)
    study = load_study(places.study)
    if options.workers is not None and options.workers < 1:
        raise BadConfig(f"--workers is {options.workers}", "give a number of at least 1")
    screen = Screen()
    with open_instance(places.home) as instance:
        size_pools(instance)
        fail_dead_runs(instance)
        order = _make_order(options, places, study, instance, screen)
        return _carry_out(order, instance, screen, workers=options.workers or cores())


def _make_order(options: argparse.Namespace, places: Places, study: Study, instance, screen: Screen) -> Order:
    """Resolve what was asked for; what lies beyond the study is said and registered."""
    from tdw_assets.grid import Grid
    from tdw_assets.partitions import register_variants, registered_variants

    grid = Grid.of(study)
    epochs = parse_epochs(options.epochs) if options.epochs else ()
    names = [name.strip() for item in options.assets for name in item.split(",") if name.strip()]
    assets = close_over_inputs(grid, names) if names else ()
    asked = [key.strip() for item in options.variant for key in item.split(",") if key.strip()]
    register_variants(grid, instance, grid.variants)
    new = register_variants(grid, instance, asked)
    if new:
        screen.say(f"Added to study {study.name}: {', '.join(new)}.")
    beyond = [epoch for epoch in epochs if epoch not in grid.epoch_set]
    if beyond:
        screen.say(
            f"Not in the checkpoints of study {study.name}: {format_epochs(beyond)}. They are trained, "
            "stored and recorded all the same;\nthe grid in the UI shows them once the study lists them."
        )
    return Order(
        study=study.model_dump(mode="json"),
        store=places.store,
        home=str(places.home),
        variants=tuple(asked) or registered_variants(grid, instance),
        epochs=epochs,
        assets=assets,
        out_of_date=options.out_of_date,
    )


def _carry_out(order: Order, instance, screen: Screen, *, workers: int) -> int:
    """Run the workers and show how far they are; the exit code."""
    from tdw.store import Store
    from tdw_assets.gaps import find_gaps
    from tdw_resources.instance import fail_dead_runs
    from tdw_resources.progress import read_progress

    grid, store, home = order.grid(), Store(order.store), Path(order.home)
    found = find_gaps(grid, instance, store, order.variants)
    effort = Effort()
    variants = _plan(order, grid, store, found, effort)
    if not variants:
        _say_out_of_date(order, found, screen)
        screen.say(
            f"Nothing is missing: {count(_cells_there(found), 'cell')} of {_named(order.variants)} are there."
        )
        return 0
    screen.say(f"Filling {_named(variants)} of study {grid.name} into {order.store}.")
    started = time.monotonic()
    failures: list[str] = []
    pool = Pool(
        order,
        workers=min(workers, len(variants)),
        log=home / "logs" / "fill.log",
        on_death=lambda: fail_dead_runs(instance),
    )
    with pool:
        for answer in pool.run(variants, every_s=_EVERY_S):
            if answer is None:
                pass
            elif answer.given_up:
                failures.append(f"{answer.variant}: {answer.given_up}")
                screen.say(failures[-1])
            elif answer.done is None:
                effort.finish(answer.variant)
            else:
                _say_done(answer.done, failures, screen)
                effort.finish(answer.variant, answer.done["stage"])
            lines = []
            for work in read_progress(home):
                effort.advance(work.variant, work.stage, work.done / max(1, work.total))
                lines.append(f"  {work.stage:9} {work.text}")
            elapsed = time.monotonic() - started
            screen.paint([*lines, overall(effort.done_fraction, effort.seconds_left(elapsed), elapsed)])
    screen.close()
    _say_out_of_date(order, find_gaps(grid, instance, store, order.variants), screen)
    took = format_seconds(time.monotonic() - started)
    if failures:
        screen.say(
            f"{count(len(failures), 'run')} failed after {took}; what was finished is kept. Run it again "
            f"to try the rest.\nDetails: {home / 'logs' / 'fill.log'}, or the runs in Dagster's UI."
        )
        return 1
    screen.say(f"Done in {took}.")
    return 0


def _plan(order: Order, grid, store, found, effort: Effort) -> list[str]:
    """The variants with anything to do, the longest first, so that no core waits at the end."""
    sizes: dict[str, float] = {}
    for variant, gaps in found.items():
        states = store.epochs(grid.family.name, variant, "states")
        for stage, units in size_of(grid, gaps, states=states, out_of_date=order.out_of_date).items():
            if units:
                effort.plan(variant, stage, units)
                sizes[variant] = sizes.get(variant, 0.0) + units
        if gaps.history is None:
            sizes.setdefault(variant, 0.0)
    return sorted(sizes, key=lambda variant: -sizes[variant])


def _say_done(done: dict, failures: list[str], screen: Screen) -> None:
    verb = {"train": "trained", "analyze": "analyzed"}.get(done["stage"], done["stage"])
    if done["error"]:
        failures.append(f"{done['variant']}: {done['error']}")
        screen.say(f"{done['variant']}: {done['stage']} failed: {done['error']}")
    else:
        screen.say(f"{done['variant']}: {verb}, {count(done['size'], 'cell')}")


def _say_out_of_date(order: Order, found, screen: Screen) -> None:
    stale = sum(
        len(asset.out_of_date)
        for gaps in found.values()
        for asset in (gaps.checkpoint, *gaps.analyzers.values())
    )
    if stale and not order.out_of_date:
        screen.say(
            f"{count(stale, 'cell')} out of date (changed code, parameters or checkpoint): "
            "`tdw fill --out-of-date` computes them again."
        )


def _cells_there(found) -> int:
    return sum(
        len(asset.recorded)
        for gaps in found.values()
        for asset in (gaps.checkpoint, *gaps.analyzers.values())
    )


def _named(variants: Sequence[str]) -> str:
    return variants[0] if len(variants) == 1 else count(len(variants), "variant")
