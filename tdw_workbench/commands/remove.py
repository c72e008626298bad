"""Delete for good what a study has made: variants, some of their epochs, what covers all variants.

Says first what goes, and asks; --dry-run only says it. Dagster's record is brought in line: nothing says
"complete" of what is gone. What another study has recorded, too, stays, unless that study is given as well.
What the study file still asks for is missing then, and automation leaves it so until somebody asks for it. A
removal that was killed leaves nothing half visible, and the same command does the rest.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig
from tdw.study import load_studies
from tdw_workbench.cli import add_studies, listed, places_of
from tdw_workbench.removing import describe
from tdw_workbench.terminal import has_person, is_agreed

if TYPE_CHECKING:
    import dagster as dg

    from tdw.store import Store
    from tdw_assets.recording.removing import StudyRemoval
    from tdw_resources.wanted import WantedAssets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw remove`."""
    add_studies(parser)
    parser.add_argument("--variant", metavar="KEY", action="append", default=[], help="may be given again")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--epochs",
        metavar="EPOCHS",
        action="append",
        default=[],
        help="of the variants only these checkpoints and their analyses: 0,1,2 or 0:1500:100",
    )
    what.add_argument(
        "--extra-epochs",
        action="store_true",
        help="only checkpoints that the study does not list, such as those of *More checkpoints*; of all "
        "variants where none is named",
    )
    what.add_argument(
        "--results", action="store_true", help="tables, plots and reports over the variants of the study"
    )
    what.add_argument("--whole-study", action="store_true", help="all variants and all results of the study")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    parser.add_argument("--yes", action="store_true", help="don't ask")


def run(options: argparse.Namespace) -> int:
    """Remove, or say what it would do."""
    from tdw.store import Store
    from tdw_assets.recording.removing import remove
    from tdw_resources.instance import fail_dead_runs, open_instance
    from tdw_resources.reading import read_instance
    from tdw_resources.wanted import WantedAssets

    places = places_of(options)
    several = [WantedAssets.of(study) for study in load_studies(places.studies)]
    store = Store(places.store)
    _require_sense(options)
    if options.dry_run:
        found = read_instance(places.home, lambda reading: _plan(options, several, reading.instance, store))
        _say(found)
        print("Nothing was removed: this was a dry run.")
        return 0
    with open_instance(places.home) as instance:
        fail_dead_runs(instance)
        found = _plan(options, several, instance, store)
        _say(found)
        if not found:
            return 0
        if not options.yes and not _is_agreed():
            print("Nothing was removed.")
            return 1
        remove(found, instance, store)
    print("Removed.")
    return 0


def _require_sense(options: argparse.Namespace) -> None:
    of_all = options.results or options.whole_study
    if options.variant and of_all:
        raise BadConfig("--variant is given with --results or --whole-study", "give one or the other")
    if not (options.variant or of_all or options.extra_epochs):
        raise BadConfig(
            "nothing says what to remove",
            "give --variant KEY (with --epochs for some of it), --extra-epochs, --results or --whole-study",
        )


def _plan(
    options: argparse.Namespace, several: Sequence[WantedAssets], instance: dg.DagsterInstance, store: Store
) -> list[StudyRemoval]:
    """What goes, and is there, of each study and variant.

    Raises:
        BadConfig: a variant that no study has and that is not in the store.
    """
    from tdw_assets.cells.partitions import with_registered
    from tdw_assets.recording.removing import EXTRA, plan_results, plan_variant

    asked = listed(options.variant)
    epochs = EXTRA if options.extra_epochs else parse_epochs(options.epochs) if options.epochs else None
    slugs = [wanted.slug for wanted in several]
    found: list[StudyRemoval] = []
    for wanted in several:
        known = with_registered(wanted, instance).variants
        for key in asked:
            wanted.family.parse_variant(key)
        for key in [] if options.results else asked or known:
            found.append(plan_variant(wanted, instance, store, key, epochs=epochs, given=slugs))
        if options.results or options.whole_study:
            found.append(plan_results(wanted, instance, store))
    return [removal for removal in found if not removal.is_empty]


def _say(found: Sequence[StudyRemoval]) -> None:
    for removal in found:
        first, *more = describe(removal)
        print("\n".join([first, *(f"  {line}" for line in more)]))
    if not found:
        print("Nothing of it is there.")


def _is_agreed() -> bool:
    if not has_person():
        raise BadConfig("there is no terminal to ask", "give --yes, or --dry-run to see what would go")
    return is_agreed("Remove this for good? It can't be taken back.")
