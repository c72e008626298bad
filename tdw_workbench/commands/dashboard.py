"""List the dashboards, or write one as a single HTML file that works offline.

Dashboards are composed in the browser, on the page /tdw/dashboards/ that `tdw up` serves.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tdw.errors import BadConfig
from tdw.families import all_families, get_family
from tdw.store.commit import write_atomic
from tdw_workbench.cli import add_studies
from tdw_workbench.terminal import count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw dashboard`."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="list|export")
    listing = acts.add_parser("list", help="names, families and sizes")
    add_studies(listing)
    export = acts.add_parser("export", help="write one as an HTML file")
    export.add_argument("name", metavar="NAME", help="of a saved dashboard, or a family for its default")
    export.add_argument("file", metavar="FILE", help='the file, by custom "*.html"')
    export.add_argument(
        "--variant",
        metavar="KEY",
        action="append",
        default=[],
        help="only this one in the selector; may be given again (default: all that it offers)",
    )
    add_studies(export)


def run(options: argparse.Namespace) -> int:
    """List or export."""
    from tdw_workbench.web.app import build_app
    from tdw_workbench.web.http.settings import settings_from_environment

    app = build_app(settings_from_environment(options.store, study=options.study))
    library = app.state.library
    if options.act == "list":
        from tdw_workbench.web.dashboards.files import saved_dashboards

        for family in all_families():
            print(f"{family.name}: default of the family")
        for each in saved_dashboards(library.store):
            what = each.dashboard
            size = (
                f"{what.family}, {count(len(what.panels), 'panel')}, version {each.version}" if what else ""
            )
            print(f"{each.name}: {size or each.problem}")
        return 0
    from tdw_workbench.web.dashboards.offline import offline_page
    from tdw_workbench.web.dashboards.routes import named
    from tdw_workbench.web.dashboards.shown import offered

    path = Path(options.file)
    if not path.parent.is_dir():
        raise BadConfig(f"{path.parent}: there is no such folder", "make it, or name another file")
    saved = named(library, options.name)
    variants = options.variant or offered(library, get_family(saved.dashboard.family), saved)
    page = asyncio.run(offline_page(app, saved, variants=variants))
    write_atomic(path, page)
    panels = count(len(saved.dashboard.panels), "panel")
    print(f"{path}: {panels} of {count(len(variants), 'variant')}, {len(page) / 1e6:,.1f} MB")
    return 0
