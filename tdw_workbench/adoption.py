"""Files that others have made: those that a study takes over, and those that it may not replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw.errors import BadConfig
from tdw.store import Store
from tdw_resources.places import Places
from tdw_workbench.terminal import count

if TYPE_CHECKING:
    import dagster as dg

    from tdw_resources.wanted import WantedAssets


def require_undisputed(wanted: WantedAssets, instance: dg.DagsterInstance, store: str) -> None:
    """Refuse a study that would replace what another one has made with other parameters.

    Raises:
        BadConfig: names both studies, variant and field; that of the first file, and how many more there are.
    """
    from tdw_resources.events.records import disputes_of

    found = disputes_of(wanted, instance, Store(store))
    if found:
        first = found[0].error()
        more = f"; and {len(found) - 1:,} more like it" if len(found) > 1 else ""
        raise BadConfig(f"{first.what}{more}", first.remedy)


def adoption_note(wanted: WantedAssets, instance: dg.DagsterInstance, places: Places) -> str:
    """One line where the store holds variants of the study and Dagster has recorded none for it; else ""."""
    if instance.event_log_storage.has_asset_key(wanted.checkpoint):
        return ""
    held = set(Store(places.store).variants(wanted.family.name)).intersection(wanted.variants)
    if not held:
        return ""
    return (
        f"Dagster's record in {places.home} tells nothing of study {wanted.name} yet, and the store has "
        f"{count(len(held), 'variant')} of it: their files are adopted, that is checked and recorded and not "
        "computed again, by `tdw fill` or `tdw up`."
    )
