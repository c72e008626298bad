"""`python -m tdw_workbench.web <arguments of dagster-webserver>`: Dagster's UI with our pages in it."""

import logging

from dagster_webserver.cli import main


def run() -> None:
    """Serve until stopped. Without the seam: the stock server, and advice."""
    try:
        from tdw_workbench.web.webserver import install

        install()
    except Exception:
        logging.getLogger("tdw").exception(
            "Dagster's UI starts without the workbench's pages; run `tdw serve`"
        )
    main()


if __name__ == "__main__":
    run()
