"""Say what fewer replay states and fewer stored arrays would save and cost; with --apply, delete them.

Training keeps its state every 1,000 epochs or so (`training: state_every` in the study), so that any epoch
can be asked for later: a replay starts from the nearest state before it. With fewer states replays take
longer and give the same bits; the last state of a variant always stays.

Where the study keeps an analyzer's arrays at some epochs only (`keep`), the others' are deleted: they are
computed again, with the same bits, whenever they are asked for. That is for the study's own variants, and
for those named with --variant; others in the store may belong to a study that keeps all. Nothing is deleted
without --apply. What is being worked on stays as it is.
"""

from __future__ import annotations

import argparse

from tdw.errors import Busy
from tdw.families import Family
from tdw.store import Store
from tdw.study import Study, load_study
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
    parser.add_argument("--apply", action="store_true", help="delete what is not to stay")


def run(options: argparse.Namespace) -> int:
    """Thin, or say what it would do."""
    from tdw.families.stored import stored_variants

    places = places_of(options)
    study, store = load_study(places.study), Store(places.store)
    family = study.family_declaration
    chosen = options.variant or stored_variants(store, family)
    own = {*study.variant_keys, *options.variant}
    freed, busy = 0, False
    for key in chosen:
        try:
            freed += _thin_states(store, family, key, keep_every=options.keep_every, apply=options.apply)
            for analyzer in study.keep if key in own else ():
                freed += _thin_arrays(store, study, key, analyzer, apply=options.apply)
        except Busy as error:
            print(f"  Not done: {error}")
            busy = True
    if not chosen:
        print("There are no variants here.")
    elif freed:
        print(f"{freed / 1e6:,.1f} MB " + ("freed." if options.apply else "to free: give --apply to do it."))
    return int(busy)


def _thin_states(store: Store, family: Family, key: str, *, keep_every: int, apply: bool) -> int:
    """The bytes that fewer states take less."""
    from tdw.training.progress import format_seconds
    from tdw.training.thinning import plan_thinning, seconds_a_step, thin

    config = family.parse_variant(key)
    plan = plan_thinning(store, family, key, keep_every=keep_every)
    if not plan.drop:
        print(f"{key}: {len(plan.keep)} states, none to drop.")
        return 0
    step = seconds_a_step(family, config)
    before, after = (format_seconds(steps * step) for steps in (plan.steps_before, plan.steps_after))
    print(
        f"{key}: {len(plan.keep)} of {len(plan.keep) + len(plan.drop)} states stay, "
        f"{plan.freed / 1e6:,.1f} MB less.\n"
        f"  An epoch asked for later takes at most {plan.steps_after:,} steps, about {after} here "
        f"(now {plan.steps_before:,}, about {before})."
    )
    if apply:
        thin(store, family, plan)
    return plan.freed


def _thin_arrays(store: Store, study: Study, key: str, analyzer: str, *, apply: bool) -> int:
    """The bytes that an analyzer's arrays take less where the study does not keep them."""
    from tdw.making.on_demand import drop
    from tdw.store.on_demand import find_arrays

    kept = find_arrays(store, study.family, key, analyzer).kept
    to_drop = study.on_demand(analyzer, kept)
    if not to_drop:
        return 0
    nbytes = sum(kept[epoch] for epoch in to_drop)
    print(
        f"{key}: {analyzer} stays at {len(kept) - len(to_drop)} of {len(kept)} epochs, "
        f"{nbytes / 1e6:,.1f} MB less; the others are computed when asked for."
    )
    if not apply:
        return nbytes
    done = drop(store, study.family_declaration, key, analyzer, sorted(to_drop))
    for why, epochs in done.refused.items():
        print(f"  {len(epochs)} of them stay: {why}")
    return done.freed
