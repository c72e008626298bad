"""`python -m tdw_workbench.web <arguments of dagster-webserver>`: Dagster's UI with our pages in it."""

import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from dagster_webserver.cli import main
from starlette.types import ASGIApp

from tdw_workbench.web.prefix import Prefixed, prefix_of

_CREATE = "create_app_from_workspace_process_context"  # a seam of dagster-webserver


def run() -> None:
    """Serve until stopped. Without the seam: the stock server, and advice."""
    try:
        from tdw_workbench.web.webserver import install

        install()
        add_prefix()
    except Exception:
        logging.getLogger("tdw").exception(
            "Dagster's UI starts without the workbench's pages; run `tdw serve`"
        )
    main()


def add_prefix() -> None:
    """Let the server answer below the path of $TDW_BASE_URL, whether a proxy takes it off or not."""
    import dagster_webserver.cli as dagster_cli

    prefix = prefix_of(os.environ.get("TDW_BASE_URL", ""))
    if not prefix:
        return
    create: Callable[..., ASGIApp] = getattr(dagster_cli, _CREATE)

    def prefixed(*arguments: Any, **named: Any) -> Prefixed:
        return Prefixed(create(*arguments, **named), prefix)

    setattr(dagster_cli, _CREATE, prefixed)
    sys.argv += ["--path-prefix", prefix]


if __name__ == "__main__":
    run()
