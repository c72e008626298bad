"""`python -m tdw_workbench.web <arguments of dagster-webserver>`: Dagster's UI, guarded, and our pages."""

from dagster_webserver.cli import main

from tdw_workbench.web.webserver import install


def run() -> None:
    """Serve until stopped. Where the guard can't be put before Dagster's routes, nothing is served."""
    install()
    main()


if __name__ == "__main__":
    run()
