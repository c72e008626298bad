"""Marks of the first blob: by the observed labels, and by the labels of half of the relabelings (A12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.drawing.marks import Rule

if TYPE_CHECKING:
    from tdw.recipes.reading.reader import Sources

USES = "summaries/blob_onset"

NOTE = """\
*First blob* marks the first checkpoint at which any neuron is one (coarseness ≥ 0.7); *half relabeled* that
by which half of the labelings x → c x have had their first, where half ever do. One line where both are one.
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
    marks = {
        int(table[name].iloc[0]): text
        for name, text in (
            ("relabelled_first_blob_epoch", "half relabeled"),
            ("first_blob_epoch", "first blob"),  # the last one names a line of both
        )
        if not table[name].isna().iloc[0]
    }
    return tuple(Rule(x=epoch, text=f"{text}: {epoch:,}") for epoch, text in marks.items())
