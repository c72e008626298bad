"""The code location: the studies that $TDW_STUDY names (default: the quick start). Loads in a second."""

import os
import sys

# One thread a worker: the same bits from run to run. Has to be said before numpy and torch are loaded.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from tdw.store import Store  # noqa: E402
from tdw_assets.build import build_defs  # noqa: E402
from tdw_assets.cells.wanted import Grid  # noqa: E402
from tdw_resources.liveness import die_with_supervisor  # noqa: E402
from tdw_resources.places import find_places, load_studies_or_last_good  # noqa: E402

die_with_supervisor()
_places = find_places()
_studies, _problem = load_studies_or_last_good(_places.studies)
if _problem:
    print(_problem, file=sys.stderr)
_store = Store(_places.store)
defs = build_defs(*(Grid.of(study).with_extra(_store) for study in _studies))
