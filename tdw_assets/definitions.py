"""The code location: the definitions of the study that $TDW_STUDY names, by default the quick start's."""

from tdw.study import load_study
from tdw_assets.build import build_defs
from tdw_resources.liveness import die_with_supervisor
from tdw_resources.places import find_places

# Every process that loads this, run workers included, ends with `tdw up` when that started it.
die_with_supervisor()

defs = build_defs(load_study(find_places().study))
