"""Say what fewer replay states would save and cost; with --apply, delete them.

Training keeps its state every 1,000 epochs or so (`training: state_every` in the study), so that any epoch
can be asked for later: a replay starts from the nearest state before it. With fewer states replays take
longer and give the same bits. Nothing is deleted without --apply; the last state of a variant always stays.
"""

from __future__ import annotations

import argparse

from tdw.study import load_study
from tdw_workbench.cli import add_places, places_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw thin`."""
    add_places(parser)
    parser.add_argument(
        "--keep-every",
        metavar="EPOCHS",
        type=int,
        default=5000,
        help="distance of the states that stay (5000)",
    )
    parser.add_argument(
        "--variant", metavar="KEY", action="append", default=[], help="only this variant; may be given again"
    )
    parser.add_argument("--apply", action="store_true", help="delete the states that are not to stay")


def run(options: argparse.Namespace) -> int:
    """Thin, or say what it would do."""
    from tdw.store import Store
    from tdw.store.layout import STATES
    from tdw.training.progress import format_seconds
    from tdw.training.thinning import plan_thinning, seconds_a_step, thin

    places = places_of(options)
    family, store = load_study(places.study).family_declaration, Store(places.store)
    chosen = options.variant or [
        key for key in store.variants(family.name) if store.epochs(family.name, key, STATES)
    ]
    freed = 0
    for key in chosen:
        config = family.parse_variant(key)
        plan = plan_thinning(store, family, key, keep_every=options.keep_every)
        if not plan.drop:
            print(f"{key}: {len(plan.keep)} states, none to drop.")
            continue
        step = seconds_a_step(family, config)
        before, after = (format_seconds(steps * step) for steps in (plan.steps_before, plan.steps_after))
        print(
            f"{key}: {len(plan.keep)} of {len(plan.keep) + len(plan.drop)} states stay, "
            f"{plan.freed / 1e6:,.1f} MB less.\n"
            f"  An epoch asked for later takes at most {plan.steps_after:,} steps, about {after} here "
            f"(now {plan.steps_before:,}, about {before})."
        )
        freed += plan.freed
        if options.apply:
            thin(store, family, plan)
    if not chosen:
        print("There are no replay states here.")
    elif freed:
        print(f"{freed / 1e6:,.1f} MB " + ("freed." if options.apply else "to free: give --apply to do it."))
    return 0
