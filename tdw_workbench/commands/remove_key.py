"""Remove partition keys that name no variant from the study in Dagster, such as one with a typing error.

Such a key is ignored by everything, and its runs fail with the reason. No file is touched. A variant is
deleted with `tdw remove --variant KEY`; the job `remove_variant` takes one out of the study, and keeps its
files.
"""

from __future__ import annotations

import argparse

from tdw.errors import BadConfig
from tdw.study import load_study
from tdw_workbench.cli import add_places, places_of
from tdw_workbench.terminal import count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw remove-key`."""
    parser.add_argument("keys", metavar="KEY", nargs="*", help="the key, exactly as it was typed")
    parser.add_argument("--all", action="store_true", help="every key that names no variant")
    add_places(parser)


def run(options: argparse.Namespace) -> int:
    """Remove."""
    from tdw_assets.cells.partitions import foreign_keys, registered_keys, remove_keys
    from tdw_resources.instance import open_instance
    from tdw_resources.wanted import WantedAssets

    places = places_of(options)
    wanted = WantedAssets.of(load_study(places.study))
    with open_instance(places.home) as instance:
        foreign = foreign_keys(wanted, instance)
        listed = ", ".join(repr(key[:80]) for key in foreign) or "none"
        if bool(options.keys) == options.all:
            raise BadConfig(
                "no key is given, or keys and --all", f"give one or the other; there is: {listed}"
            )
        for key in options.keys:
            if key in foreign:
                continue
            if key in registered_keys(wanted, instance):
                raise BadConfig(
                    f"{key!r} is a variant",
                    f"`tdw remove --variant {key}` deletes it; the job `remove_variant` keeps its files",
                )
            raise BadConfig(
                f"study {wanted.name} has no partition key {key[:80]!r}",
                f"keys that name no variant: {listed}",
            )
        removed = list(foreign if options.all else dict.fromkeys(options.keys))
        remove_keys(wanted, instance, removed)
    print(f"{count(len(removed), 'key')} removed from study {wanted.name}.")
    return 0
