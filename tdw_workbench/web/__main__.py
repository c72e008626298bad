"""`python -m tdw_workbench.web <arguments of dagster-webserver>`: Dagster's UI, guarded, and our pages."""

import os
import sys

from dagster_webserver.cli import main

from tdw_workbench.web.prefix import Prefixed, prefix_of
from tdw_workbench.web.webserver import install, wrap_app


def run() -> None:
    """Serve until stopped. Where the guard can't be put before Dagster's routes, nothing is served."""
    install()
    add_prefix()
    main()


def add_prefix() -> None:
    """Let the server answer below the path of $TDW_BASE_URL, whether a proxy takes it off or not."""
    prefix = prefix_of(os.environ.get("TDW_BASE_URL", ""))
    if not prefix:
        return
    wrap_app(lambda app: Prefixed(app, prefix))
    sys.argv += ["--path-prefix", prefix]


if __name__ == "__main__":
    run()
