"""Serve the plots and the explorer alone, beside a stock or deployed Dagster.

Ctrl-C ends it. Links in Dagster's pages lead to $TDW_BASE_URL, by default http://127.0.0.1:3001, which is
where this serves.
"""

from __future__ import annotations

import argparse

from tdw_workbench.cli import add_studies
from tdw_workbench.servers.ports import require_free

PORT = 3001
DAGSTER = "http://127.0.0.1:3000"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw serve`."""
    add_studies(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="port (default: %(default)s)")
    parser.add_argument(
        "--dagster-url", default=DAGSTER, metavar="URL", help="where Dagster's UI is (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    import uvicorn

    from tdw_workbench.web.app import standalone
    from tdw_workbench.web.http.settings import settings_from_environment

    require_free(options.port, options.host)
    settings = settings_from_environment(options.store, study=options.study, dagster_url=options.dagster_url)
    print(
        f"http://{options.host}:{options.port}{settings.prefix}/tdw/  (store: {settings.store})", flush=True
    )
    app = standalone(settings, warm=True)
    # One process, whatever $WEB_CONCURRENCY says: with more, uvicorn would end at once.
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", workers=1)
    return 0
