"""The neuron explorer: its page and scripts are beside this file, its slices are read here."""

from pathlib import Path

from tdw.families.modulo_addition_1layer.explorer import slices
from tdw.families.modulo_addition_1layer.explorer.slices import (
    ATTENTION,
    COARSENESS,
    FREQUENCIES,
    NEURONS,
    SMALL,
)
from tdw.recipes.explorer import Explorer, MapView, SliceRecipe

_SIZE = (4, 1000)  # pixels per side of a map

EXPLORER = Explorer(
    title="Neuron explorer",
    folder=Path(__file__).parent,
    marks=slices.grokking_mark,
    slices={
        "maps": SliceRecipe(
            slices.read_maps,
            (NEURONS,),
            indices={"neurons": ("d_mlp", 8)},
            numbers={"size": _SIZE},
            by_epoch=True,
        ),
        "mosaic": SliceRecipe(
            slices.read_mosaic, (NEURONS,), numbers={"size": (4, 256)}, one_epoch=True, kept=True
        ),
        "metrics": SliceRecipe(slices.read_metrics, (COARSENESS, FREQUENCIES), kept=True),
        "scales": SliceRecipe(slices.read_scale_clusters, (slices.PROFILES,), one_epoch=True, kept=True),
        "small": SliceRecipe(slices.read_small, (SMALL,), indices={"neurons": ("d_mlp", 8)}, by_epoch=True),
        "smallheads": SliceRecipe(
            slices.read_small_heads, (SMALL,), indices={"heads": ("n_heads", 16)}, by_epoch=True
        ),
        "heads": SliceRecipe(
            slices.read_heads,
            (ATTENTION,),
            indices={"heads": ("n_heads", 16)},
            numbers={"size": _SIZE},
            by_epoch=True,
        ),
    },
    views=(
        MapView(
            "neurons",
            "Neurons",
            "maps",
            index="neurons",
            first=(0, 1, 2, 3),
            label="neuron {i}",
            unit="activation (post-ReLU)",
            down="a",
            right="b",
            numbers={"size": 48},
        ),
        MapView(
            "heads",
            "Attention of heads",
            "heads",
            index="heads",
            first=(0, 1, 2, 3),
            label="head {i}",
            parts=("to a", "to b"),
            unit="attention (0 to 1)",
            down="a",
            right="b",
            numbers={"size": 48},
        ),
    ),
)
