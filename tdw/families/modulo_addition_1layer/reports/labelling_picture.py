"""The relabelling control of many runs: what claims about the observed names would find under other names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tdw.drawing.chart import Chart, Panel
from tdw.drawing.marks import Axis, Points
from tdw.drawing.style import MUTED
from tdw.families.modulo_addition_1layer.claims import draws
from tdw.recipes.reading.evidence import At, Evidence, Float64, Row
from tdw.statistics.exact import spearman_of_rows

BY_LABELLING = (
    "The relabelling control, for claims about coarseness and blobs: what they would find with the residues "
    "of all runs renamed alike, a gray dot for each labeling; the large dot: the observed names. What "
    "depends on the names is no property of the task."
)


def has_common_names(evidence: Evidence) -> bool:
    """Whether there are many runs, of one modulus, so that all can be renamed alike."""
    return evidence.crowded and len({row.fields.get("p") for row in evidence.rows}) == 1


def by_labelling(evidence: Evidence) -> Chart:
    """What claims about the observed names would find under each labeling, all runs renamed alike: the least
    first, the observed one marked.
    """
    early, times = f"epoch {evidence.early_epoch:,}", evidence.times
    panels = (
        ("share of runs that grokked with\nfewer than 1 % blobs at grokking", _rare_blobs(evidence)),
        (f"rank correlation of mean coarseness,\n{early}, with the grokking epoch",
         _correlations(evidence, "mean_coarseness", times)),
        (f"rank correlation of blobs,\n{early}, with the grokking epoch",
         _correlations(evidence, "num_blob_neurons", times)),
    )  # fmt: skip
    return Chart(
        "",
        tuple(
            Panel(_ranked(values), x=Axis(title), y=Axis("labelings, by their value"), column=column)
            for column, (title, values) in enumerate(panels)
        ),
        share_y=True,
    )


def _ranked(values: Float64) -> list[Points]:
    """Each labeling at its value and its place among all; the observed one, the first, in color."""
    if not len(values) or np.isnan(values).any():
        return []
    place = np.empty(len(values))
    place[np.argsort(values, kind="stable")] = np.arange(1, len(values) + 1)
    return [Points(values, place, color=MUTED, size=4), Points(values[:1], place[:1], size=8)]


def _rare_blobs(evidence: Evidence) -> Float64:
    """Share of grokked runs with blobs in fewer than 1 % of the neurons: (labelings,)."""
    found = [_at(row, "num_blob_neurons", "outcome") / row.get("num_neurons") for row in evidence.reached]
    known = [values for values in found if len(values)]
    return np.mean(np.stack(known) < 0.01, axis=0) if known else np.empty(0)


def _correlations(evidence: Evidence, series: str, times: Mapping[str, float]) -> Float64:
    """For each labeling the rank correlation over the runs whose place in time is known, (labelings,)."""
    found = {row.key: _at(row, series, "early") for row in evidence.rows if row.key in times}
    known = {key: values for key, values in found.items() if len(values)}
    if len(known) < 3:
        return np.empty(0)
    return spearman_of_rows(np.stack(list(known.values())).T, [times[key] for key in known])


def _at(row: Row, series: str, at: At) -> Float64:
    """A series under every labeling at one epoch, (labelings,); empty where it is not there."""
    epochs, values = draws(row, series)
    found = values[epochs == row.epoch_at(at, epochs)] if len(epochs) else values
    return found[0] if len(found) else np.empty(0)
