"""The code location: the studies that $TDW_STUDY names (default: the quick start). Loads in a second."""

import sys

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Built when Dagster loads the location; importing this module does nothing."""
    from tdw.compute import ask_for_one_thread

    ask_for_one_thread()  # the same bits from run to run
    from tdw_resources.runs.liveness import die_with_supervisor
    from tdw_resources.runs.warm_start import fork_runs

    die_with_supervisor()
    fork_runs()  # first: what it may start imports its modules while this process does
    from tdw.store import Store
    from tdw_assets.build import build_defs
    from tdw_resources.places import find_places, load_studies_or_last_good
    from tdw_resources.wanted import WantedAssets

    places = find_places()
    studies, problem = load_studies_or_last_good(places.studies)
    if problem:
        print(problem, file=sys.stderr)
    store = Store(places.store)
    return build_defs(*(WantedAssets.of(study).with_extra(store) for study in studies))
