"""The science as partitioned Dagster assets: partitions, assets, checks, gaps, automation.

Belongs here: how work is cut into cells, recorded and started. Does not: what is computed (tdw), what the
instance is made of (tdw_resources), commands and pages (tdw_workbench). `build.build_defs` puts it together.
"""

import warnings

from dagster import BetaWarning, PreviewWarning, SupersessionWarning

# The version is pinned and what is used of it is tested; a warning at every start would tell nobody anything.
for _category in (BetaWarning, PreviewWarning, SupersessionWarning):
    warnings.filterwarnings("ignore", category=_category)
