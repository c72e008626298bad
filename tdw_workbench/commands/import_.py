"""Verify an archive of `tdw export` and take it into the store; its cells are recorded in Dagster.

Nothing is seen of a bundle before every byte of it is verified. With --checkpoint, weights that were trained
elsewhere become a variant's checkpoints: safetensors, or a state dict of torch, as HookedTransformer,
TransformerBridge or the repository of Nanda et al. name their tensors.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig
from tdw.exchange.import_checkpoints import import_bundle
from tdw.exchange.sources import parse_sources
from tdw.exchange.state_dicts import import_checkpoints
from tdw.families import get_family
from tdw.store import Store
from tdw.store.layout import CHECKPOINTS, STATES
from tdw.study import Study, load_study
from tdw_resources.places import Places
from tdw_workbench.cli import add_places, places_of
from tdw_workbench.fill.carry_out import carry_out
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.fill.workers import Workers
from tdw_workbench.terminal import Screen, count

if TYPE_CHECKING:
    from tdw_resources.wanted import WantedAssets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw import`."""
    parser.add_argument("file", metavar="FILE", nargs="?", help="the archive")
    parser.add_argument(
        "--checkpoint",
        metavar="EPOCH=FILE",
        action="append",
        default=[],
        help="instead of an archive: a checkpoint trained elsewhere; may be given again. Several epochs of "
        "one file: 0:25000:100=FILE, with an --entry that holds a *",
    )
    parser.add_argument(
        "--entry",
        metavar="PATH",
        action="append",
        default=[],
        help="with --checkpoint: where in the file its state dict is, such as state_dicts.12; one for each "
        "--checkpoint, in the same order. state_dicts.* takes the first for the first epoch, and so on",
    )
    parser.add_argument(
        "--strip-prefix",
        metavar="PREFIX",
        action="append",
        default=[],
        help="with --checkpoint: take this off the tensors' names, such as _orig_mod. or module.",
    )
    parser.add_argument("--variant", metavar="KEY", help="with --checkpoint: the variant it is of")
    parser.add_argument(
        "--replace", action="store_true", help="take the archive's file where the store has another"
    )
    add_places(parser)


def run(options: argparse.Namespace) -> int:
    """Import, then record."""
    if bool(options.file) == bool(options.checkpoint):
        raise BadConfig("nothing to import, or two things", "give an archive, or --checkpoint with --variant")
    if not options.checkpoint and (options.entry or options.strip_prefix or options.variant):
        raise BadConfig(
            "--entry, --strip-prefix and --variant are for checkpoints that were trained elsewhere",
            "name the files with --checkpoint EPOCH=FILE, or leave the options out",
        )
    places = places_of(options)
    study = load_study(places.study)
    store = Store(places.store)
    screen = Screen()
    if options.checkpoint:
        epochs = _take_checkpoints(options, store, study, screen)
        return _record(places, study, screen, [options.variant], epochs, {"checkpoint"})
    done = import_bundle(store, options.file, replace=options.replace)
    screen.say(
        f"{options.file}: {count(done.num_files, 'file')} verified, {done.num_new} new, "
        f"{done.nbytes / 1e6:,.1f} MB, of {', '.join(done.variants)}"
    )
    for name in done.kept:
        screen.say(f"kept the store's own {name}; --replace would take the archive's")
    if done.family != study.family:
        screen.say(f"Recorded in Dagster once a study of {done.family} is loaded.")
        return 0
    epochs = sorted({epoch for _, _, epoch in done.cells})
    kinds = {"checkpoint" if kind == CHECKPOINTS else kind for _, kind, _ in done.cells if kind != STATES}
    return _record(places, study, screen, done.variants, epochs, kinds)


def _take_checkpoints(
    options: argparse.Namespace, store: Store, study: Study, screen: Screen
) -> Sequence[int]:
    if not options.variant:
        raise BadConfig("--checkpoint without --variant", "name the variant that the weights are of")
    family = get_family(study.family)
    files = parse_sources(options.checkpoint, entries=options.entry, strip_prefixes=options.strip_prefix)
    config = family.parse_variant(options.variant)
    for done in import_checkpoints(store, family, config, files):
        screen.say(f"{options.variant}: checkpoint of epoch {done.epoch}")
    return sorted(files)


def _with_what_follows(wanted: WantedAssets, kinds: Collection[str]) -> tuple[str, ...]:
    """Assets of the study among `kinds`, and all tables and plots that can be made from them alone."""
    names = [name for name in ("checkpoint", *wanted.analyzers) if name in kinds]
    if "checkpoint" in names:
        names.append("history")
    for product in wanted.products:
        if "/" in product.name and set(product.needs) <= {*names} and {*product.inputs} & {*names}:
            names.append(product.name)
    return tuple(names)


def _record(
    places: Places,
    study: Study,
    screen: Screen,
    variants: Sequence[str],
    epochs: Sequence[int],
    kinds: Collection[str],
) -> int:
    """Have the imported cells recorded, by the same way that a fill takes over what is in the store.

    With them what is made from them alone: history, tables and plots. None is missing after an import.
    """
    from tdw_assets.cells.partitions import register_variants
    from tdw_resources.instance import cores, fail_dead_runs, open_instance
    from tdw_resources.wanted import WantedAssets

    settings: Mapping[str, Any] = study.model_dump(mode="json")
    with Workers.of(places.home, cores()) as pool, open_instance(places.home) as instance:
        fail_dead_runs(instance)
        wanted = WantedAssets.of(study)
        new = register_variants(wanted, instance, variants)
        if new:
            screen.say(f"Added to study {study.name}: {', '.join(new)}.")
        request = FillRequest(
            study=dict(settings),
            store=places.store,
            home=str(places.home),
            variants=tuple(variants),
            epochs=tuple(epochs),
            assets=_with_what_follows(wanted, kinds),
        )
        return carry_out(request, instance, screen, pool=pool, ask=False)
