"""The sequence explorer of every transformer of the kit; its page and scripts are beside this file."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tdw.families.transformer.explorer import slices
from tdw.families.transformer.recipes.analyzers import HEAD_SCORES, PATTERNS
from tdw.recipes.explorer import Explorer, MapView, SliceRecipe


def sequence_explorer(token_labels: Callable[[str], Sequence[str]]) -> Explorer:
    """Attention over tokens, across checkpoints.

    Args:
        token_labels: key of a variant -> what its tokens are called, by token.
    """
    one_head = {"layer": ("n_layers", 1), "head": ("n_heads", 1)}
    return Explorer(
        title="Sequence explorer",
        folder=Path(__file__).parent,
        slices={
            "attention": SliceRecipe(
                slices.read_attention,
                (PATTERNS.name,),
                indices=one_head,
                numbers={"sequence": (0, slices.MOST_SEQUENCES - 1)},
            ),
            "heads": SliceRecipe(slices.read_heads, (PATTERNS.name,), indices={"heads": ("all_heads", 16)}),
            "sequences": SliceRecipe(
                partial(slices.read_sequences, token_labels), (PATTERNS.name,), kept=True
            ),
            "scores": SliceRecipe(slices.read_scores, (HEAD_SCORES.name,), kept=True),
        },
        views=(
            MapView(
                "heads",
                "Attention of heads",
                "heads",
                index="heads",
                first=(0,),
                label="head {i}",
                unit="square root of mean attention (0 to 1); heads are counted layer by layer",
                down="query",
                right="key",
            ),
        ),
    )


__all__ = ["sequence_explorer"]
