"""Marks of the first blob: by the observed labels, and by the labels of half of the relabellings (A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tdw.drawing.marks import Rule

if TYPE_CHECKING:
    from tdw.recipes.reading.reader import Sources

USES = "summaries/blob_onset"

NOTE = """\
*First blob* marks the first checkpoint at which any neuron is one (coarseness ≥ 0.7); *half of the
labellings* that by which half of the labellings x → c x have had theirs, where half ever do.
"""


def rules(sources: Sources) -> tuple[Rule, ...]:
    """In a figure of one variant a line at each epoch, or one line where they are the same.

    None where there is no blob, no such summary, or more than one variant.
    """
    if len(sources.variants) != 1:
        return ()
    table = sources.only.optional_summary("blob_onset")
    if table is None or table.empty:
        return ()
    row: dict[str, Any] = {str(name): value for name, value in table.iloc[0].items()}
    texts: dict[int, list[str]] = {}
    for name, text in (
        ("first_blob_epoch", "first blob"),
        ("relabelled_first_blob_epoch", "half of the labellings"),
    ):
        if not table[name].isna().iloc[0]:
            texts.setdefault(int(row[name]), []).append(text)
    return tuple(Rule(x=epoch, text=f"{', '.join(found)}: {epoch:,}") for epoch, found in texts.items())
