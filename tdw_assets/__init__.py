"""The science as partitioned Dagster assets: partitions, assets, checks, gaps, automation.

Belongs here: how work is cut into cells, recorded and started. Does not: what is computed (tdw), what the
instance is made of (tdw_resources), commands and pages (tdw_workbench). `build.build_defs` puts it together.
"""
