"""Show what is there, missing, out of date and failed, by variant and asset."""

from __future__ import annotations

import argparse

from tdw_workbench.cli import add_places


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw up`."""
    add_places(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")


def run(options: argparse.Namespace) -> int:
    """Status."""
    return 0
