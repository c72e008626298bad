"""Compare two variants, or two groups of variants joined by commas: a report with numbers and figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from tdw.families import get_family
from tdw.recipes.family import VariantConfig
from tdw.reports.comparison_report import comparison_report
from tdw.store import Store
from tdw.store.commit import write_atomic
from tdw.study import load_study
from tdw_workbench.cli import add_places, listed, places_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw compare`."""
    parser.add_argument("first", metavar="A", help="a variant's key, or several joined by commas")
    parser.add_argument("second", metavar="B", help="the other one or ones")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="write report.md, report.html and the figures there"
    )
    add_places(parser)


def run(options: argparse.Namespace) -> int:
    """Compare what is stored now; prints the report, or writes it."""
    places = places_of(options)
    study = load_study(places.study)
    family = get_family(study.family)

    def group(text: str) -> list[VariantConfig]:
        return [family.parse_variant(key) for key in listed([text])]

    report = comparison_report(
        Store(places.store),
        family,
        group(options.first),
        group(options.second),
        early_epoch=study.early_epoch,
        last_epoch=study.epochs,
    )
    if options.out is None:
        print(report.markdown)
        return 0
    for name, data in report.files.items():
        write_atomic(options.out.absolute() / name, data)
    print(f"{options.out / 'report.html'}: {report.title}")
    return 0
