"""A Dagster home that knows nothing of a study's files: say so, since no work is lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.store import Store
from tdw_resources.places import Places
from tdw_workbench.terminal import count

if TYPE_CHECKING:
    import dagster as dg

    from tdw_assets.cells.wanted import Grid


def adoption_note(grid: Grid, instance: dg.DagsterInstance, places: Places) -> str:
    """One line where the store holds variants of the study and Dagster has recorded none for it; else ""."""
    if instance.event_log_storage.has_asset_key(grid.checkpoint):
        return ""
    held = set(Store(places.store).variants(grid.family.name)).intersection(grid.variants)
    if not held:
        return ""
    return (
        f"Dagster's record in {places.home} tells nothing of study {grid.name} yet, and the store has "
        f"{count(len(held), 'variant')} of it: their files are adopted, that is checked and recorded and not "
        "computed again, by `tdw fill` or `tdw up`."
    )
