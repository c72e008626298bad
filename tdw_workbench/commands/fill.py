"""Fill what is missing: train, analyze, summarize and plot, through Dagster, on all cores.

Computes exactly the cells that are missing and records each in Dagster's event log, as a run of one variant
and stage; several studies one after another. Needs no server. Can be stopped at any time (Ctrl-C) and started
again; what is done stays done.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tdw.epochs import format_epochs, parse_epochs
from tdw.errors import BadConfig
from tdw.study import Study, load_studies
from tdw_resources.places import Places
from tdw_workbench.cli import add_studies, listed, places_of
from tdw_workbench.fill.announcing import ASK_ABOVE, say_to_do
from tdw_workbench.fill.carry_out import carry_out
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest, Shard, close_over_inputs
from tdw_workbench.fill.workers import Workers
from tdw_workbench.terminal import Screen

if TYPE_CHECKING:
    import dagster as dg

    from tdw_resources.wanted import WantedAssets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw fill`."""
    add_studies(parser)
    parser.add_argument(
        "--variant", metavar="KEY", action="append", default=[], help="only this variant; may be given again"
    )
    parser.add_argument(
        "--shard",
        metavar="K/N",
        type=Shard.parse,
        help="only each N-th variant, from the K-th on, and nothing that covers all of them: one task of an "
        "array of N jobs; `tdw fill` without it, after them, makes the rest",
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
    parser.add_argument(
        "--batch",
        metavar="N",
        type=int,
        default=1,
        help="train up to N variants of one shape as one program; made for a CUDA device, where it has never "
        "run, and no faster on a CPU",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be made, and make, register and write nothing"
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help=f"don't ask before more than {ASK_ABOVE:,} cells are made; only a terminal is asked",
    )


def run(options: argparse.Namespace) -> int:
    """Fill."""
    import tdw_assets.build  # noqa: F401  before workers are forked: all of them need it
    from tdw_resources.instance import cores

    places = places_of(options)
    studies = load_studies(places.studies)
    if options.workers is not None and options.workers < 1:
        raise BadConfig(f"--workers is {options.workers}", "give a number of at least 1")
    if options.batch < 1:
        raise BadConfig(f"--batch is {options.batch}", "give a number of at least 1")
    screen = Screen()
    if options.dry_run:
        return _say_what_would_be_done(options, places, studies, screen)
    with Workers.of(places.home, options.workers or cores()) as pool:
        pool.start(max(len(listed(options.variant) or study.configs) for study in studies))
        return _fill(options, places, studies, pool, screen)


def _fill(
    options: argparse.Namespace, places: Places, studies: Sequence[Study], pool: Workers, screen: Screen
) -> int:
    from tdw_resources.instance import fail_dead_runs, open_instance
    from tdw_resources.runs.progress import clear_progress
    from tdw_resources.wanted import WantedAssets
    from tdw_workbench.adoption import adoption_note, require_undisputed

    with open_instance(places.home) as instance:
        fail_dead_runs(instance)
        clear_progress(places.home)
        codes: list[int] = []
        for study in studies:
            require_undisputed(WantedAssets.of(study), instance, places.store)
            note = adoption_note(WantedAssets.of(study), instance, places)
            if note:
                screen.say(note)
            request = _make_request(options, places, study, instance, screen)
            if not request.variants:
                screen.say(
                    f"Study {study.name} has fewer variants than there are tasks: nothing for this one."
                )
                codes.append(0)
                continue
            ask, batch = not options.yes, options.batch
            codes.append(carry_out(request, instance, screen, pool=pool, ask=ask, batch=batch))
        return max(codes)


def _make_request(
    options: argparse.Namespace,
    places: Places,
    study: Study,
    instance: dg.DagsterInstance,
    screen: Screen,
) -> FillRequest:
    """Resolve what was asked for. Variants and epochs outside the study are reported and registered."""
    from tdw.store import Store
    from tdw_assets.cells.partitions import (
        describe_foreign,
        foreign_keys,
        register_variants,
        registered_variants,
    )
    from tdw_resources.wanted import WantedAssets

    wanted = WantedAssets.of(study).with_extra(Store(places.store))
    asked = listed(options.variant)
    request = _resolve(options, places, study, wanted, ())
    register_variants(wanted, instance, wanted.variants)
    for key in foreign_keys(wanted, instance):
        screen.say(f"Note: {describe_foreign(wanted, key)}.")
    new = register_variants(wanted, instance, asked)
    if new:
        screen.say(f"Added to study {study.name}: {', '.join(new)}.")
    beyond = [epoch for epoch in request.epochs if epoch not in wanted.epoch_set]
    if beyond:
        screen.say(
            f"Not in the checkpoints of study {study.name}: {format_epochs(beyond)}. They are trained, "
            "stored and recorded all the same;\nthe grid in the UI shows them once the study lists them."
        )
    return _resolve(options, places, study, wanted, registered_variants(wanted, instance))


def _resolve(
    options: argparse.Namespace,
    places: Places,
    study: Study,
    wanted: WantedAssets,
    registered: Sequence[str],
) -> FillRequest:
    """What the arguments ask for, of the named variants or else of the registered ones; changes nothing."""
    epochs = parse_epochs(options.epochs) if options.epochs else ()
    names = listed(options.assets)
    assets = close_over_inputs(wanted, names) if names else ()
    variants = tuple(listed(options.variant)) or tuple(registered)
    return FillRequest(
        study=study.model_dump(mode="json"),
        store=places.store,
        home=str(places.home),
        variants=options.shard.of(variants) if options.shard else variants,
        comparison=options.shard is None,
        epochs=epochs,
        assets=assets,
        out_of_date=options.out_of_date,
    )


def _say_what_would_be_done(
    options: argparse.Namespace, places: Places, studies: Sequence[Study], screen: Screen
) -> int:
    """The dry run: reads the instance and the store, and leaves both as they are."""
    from tdw.recipes.catalog import catalog_of
    from tdw.store import Store
    from tdw_assets.cells.partitions import registered_variants
    from tdw_resources.reading import Reading, read_instance
    from tdw_resources.wanted import WantedAssets

    def look(reading: Reading) -> list[tuple[FillRequest, RemainingWork]]:
        found: list[tuple[FillRequest, RemainingWork]] = []
        store = Store(places.store)
        for study in studies:
            wanted = WantedAssets.of(study).with_extra(store)
            for key in listed(options.variant):
                catalog_of(wanted.family).require_suited(wanted.analyzers, wanted.family.parse_variant(key))
            known = registered_variants(wanted, reading.instance)
            registered = [*known, *(key for key in wanted.variants if key not in known)]
            request = _resolve(options, places, study, wanted, registered)
            if request.variants:
                work = RemainingWork.find(request, request.wanted(), reading.instance, store)
                found.append((request, work))
        return found

    for request, work in read_instance(places.home, look):
        say_to_do(request, work, screen)
    screen.say("Nothing was made: this was a dry run.")
    return 0
