"""The neuron explorer: its page and scripts are beside this file, its slices are read here."""

from pathlib import Path

from tdw.families.modulo_addition_1layer.explorer import slices
from tdw.families.modulo_addition_1layer.explorer.slices import ATTENTION, COARSENESS, FREQUENCIES, NEURONS
from tdw.recipes.explorer import Explorer, SliceRecipe

_SIZE = (4, 1000)  # pixels per side of a map

EXPLORER = Explorer(
    title="Neuron explorer",
    folder=Path(__file__).parent,
    slices={
        "maps": SliceRecipe(
            slices.read_maps, (NEURONS,), indices={"neurons": ("d_mlp", 8)}, numbers={"size": _SIZE}
        ),
        "mosaic": SliceRecipe(
            slices.read_mosaic, (NEURONS,), numbers={"size": (4, 256)}, one_epoch=True, kept=True
        ),
        "metrics": SliceRecipe(slices.read_metrics, (COARSENESS, FREQUENCIES), kept=True),
        "heads": SliceRecipe(
            slices.read_heads, (ATTENTION,), indices={"heads": ("n_heads", 16)}, numbers={"size": _SIZE}
        ),
    },
)
