"""A Dagster home that knows nothing of a store that is full: say so, since no work is lost by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.store import Store
from tdw_resources.places import Places

if TYPE_CHECKING:
    import dagster as dg

    from tdw_assets.cells.wanted import Grid


def adoption_note(grid: Grid, instance: dg.DagsterInstance, places: Places) -> str:
    """One line where the store holds variants of the study and Dagster has recorded nothing; else ""."""
    if instance.event_log_storage.has_asset_key(grid.checkpoint):
        return ""
    held = set(Store(places.store).variants(grid.family.name)).intersection(grid.variants)
    if not held:
        return ""
    return (
        f"Dagster's record in {places.home} is empty beside a store that is not: files are adopted, "
        "that is checked and recorded and not computed again, by `tdw fill` or `tdw up`."
    )
