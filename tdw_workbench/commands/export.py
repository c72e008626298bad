"""Write variants, with configuration, fingerprints and checksums, into an archive that `tdw import` verifies.

Everything but the replay states goes in, unless --include says otherwise.
"""

from __future__ import annotations

import argparse

from tdw.errors import NotFound
from tdw.exchange.bundle import export_bundle
from tdw.families import all_families
from tdw.families.stored import stored_variants
from tdw.store import Store
from tdw_workbench.cli import add_places, places_of
from tdw_workbench.terminal import count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw export`."""
    parser.add_argument("file", metavar="FILE", help='the archive, by custom "*.tdw.tar"')
    parser.add_argument(
        "--variant", metavar="KEY", action="append", default=[], help="only this one; may be given again"
    )
    parser.add_argument(
        "--include",
        metavar="KIND",
        action="append",
        default=[],
        help='"checkpoints", "states", "summaries", "plots", "comparison" or an analyzer; may be given again',
    )
    add_places(parser)


def run(options: argparse.Namespace) -> int:
    """Export, one archive of one family."""
    places = places_of(options)
    store = Store(places.store)
    stored = {family: stored_variants(store, family) for family in all_families()}
    for family, keys in stored.items():
        wanted = [key for key in keys if not options.variant or key in options.variant]
        if wanted:
            missing = sorted(set(options.variant) - set(wanted))
            if missing:
                break
            done = export_bundle(store, family, wanted, options.file, include=options.include or None)
            files = count(done.num_files, "file")
            print(f"{done.path}: {files} of {', '.join(done.variants)}, {done.nbytes / 1e6:,.1f} MB")
            print(f"sha256 {done.sha256}")
            for path in done.left_out:
                print(f"left out: {path} is a symbolic link; put the file itself there to take it along")
            return 0
    there = ", ".join(key for keys in stored.values() for key in keys) or "nothing"
    raise NotFound(
        f"{places.store} does not hold {', '.join(options.variant) or 'any variant'}", f"there is: {there}"
    )
