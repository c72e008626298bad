"""A code location with the plots' assets, as the real one declares them, that loads in a second."""

import dagster as dg

from tdw.families.modulo_addition_1layer.figures import PLOTS

specs = [
    dg.AssetSpec(
        ["plots", plot.name],
        description=plot.description,
        partitions_def=dg.StaticPartitionsDefinition(["p7_s1_d598_f0.5"])
        if plot.scope == "variant"
        else None,
    )
    for plot in PLOTS
]
defs = dg.Definitions(assets=specs)
