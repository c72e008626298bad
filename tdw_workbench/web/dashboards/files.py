"""Dashboards in the store: a file for each version, which is never changed.

Who saves says which version the change began from. When a later one is there by then, nothing is written.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tdw.errors import BadConfig, NotFound, TdwError, Unreadable
from tdw.families import all_families
from tdw.store import DashboardAddress, Provenance, Store, tdw_version
from tdw.store.layout import DASHBOARDS, is_name
from tdw.store.reading import access
from tdw_workbench.web.dashboards.model import Dashboard, parse_dashboard, require_known

FORMAT = 1
_VERSION = re.compile(r"([0-9]{5})\.json")
_WAIT_S = 5.0


class SavedSince(TdwError):
    """Somebody saved a later version than the one that was changed."""


@dataclass(frozen=True)
class Saved:
    """A dashboard as it was saved; `version` counts from 1, and is 0 for a family's default."""

    name: str
    version: int
    dashboard: Dashboard


@dataclass(frozen=True)
class Listed:
    """A line of the list: a dashboard, or why it can't be read."""

    name: str
    version: int
    dashboard: Dashboard | None
    problem: str = ""


def versions(store: Store, name: str) -> list[int]:
    """The versions of a dashboard, ascending; none where there is no such dashboard."""
    folder = store.path(DashboardAddress(name, 1)).parent
    try:
        with access(folder):
            found = [_VERSION.fullmatch(path.name) for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(int(match[1]) for match in found if match)


def read(store: Store, name: str, version: int | None = None) -> Saved:
    """A dashboard, in its last version or in the one that is given.

    Raises:
        NotFound: there is none.
        CorruptFile, Unreadable: the file was changed by hand or damaged; names it.
    """
    there = versions(store, name)
    if not there or version not in (None, *there):
        what = f"no dashboard {name!r}" if not there else f"no version {version} of dashboard {name!r}"
        raise NotFound(f"{what} in {store.root}", "choose one in the list of dashboards, or make it")
    wanted = there[-1] if version is None else version
    address = DashboardAddress(name, wanted)
    values, _ = store.read_record(address)
    try:
        if values.get("format") != FORMAT:
            raise BadConfig(f"its format is {values.get('format')!r}", f"this version reads {FORMAT}")
        return Saved(name, wanted, parse_dashboard(json.dumps(values["dashboard"])))
    except (BadConfig, KeyError, TypeError) as error:
        raise Unreadable(
            f"{store.path(address)}: {getattr(error, 'what', error)}",
            "use the version of tdw that wrote it, or delete the file: then the version before it is shown",
        ) from error


def save(store: Store, name: str, dashboard: Dashboard, *, base: int) -> Saved:
    """Write the next version.

    Args:
        store: where to.
        name: of the dashboard; the names of families are those of their defaults.
        dashboard: what is on it.
        base: the version that was changed; 0 for a new dashboard.

    Raises:
        BadConfig: a name or a panel that can't be used.
        SavedSince: there is a version after `base`, so nothing was written.
        Busy, StoreError: the file can't be written.
    """
    if name in {family.name for family in all_families()} or not is_name(name) or name.startswith("_"):
        raise BadConfig(
            f"a dashboard can't be saved as {name[:80]!r}",
            "take another name, of letters, digits, '_', '-' and single dots; a family's name is that of its "
            "default dashboard",
        )
    require_known(dashboard)
    with store.lock(DASHBOARDS, name, "save", wait_s=_WAIT_S):
        last = max(versions(store, name), default=0)
        if last != base:
            raise SavedSince(*_since(name, base, last))
        note = Provenance(
            family=dashboard.family,
            variant="",
            name=name,
            environment={"tdw": tdw_version()},
        )
        values = {"format": FORMAT, "dashboard": dashboard.model_dump(mode="json")}
        store.write_record(DashboardAddress(name, base + 1), values, provenance=note)
    return Saved(name, base + 1, dashboard)


def delete(store: Store, name: str, *, version: int) -> None:
    """Remove a dashboard for good, in all its versions, the first ones first: who is killed leaves the last.

    Whatever else somebody put into its folder stays.

    Args:
        store: where from.
        name: of the dashboard.
        version: the last one that who deletes it has seen.

    Raises:
        NotFound: there is none.
        SavedSince: there is a later version, so nothing was removed.
        Busy, StoreError: a file can't be removed.
    """
    _require_any(store, name)  # before its lock is taken, which would make a folder of that name
    with store.lock(DASHBOARDS, name, "save", wait_s=_WAIT_S):
        there = _require_any(store, name)
        if there[-1] != version:
            raise SavedSince(
                f"dashboard {name!r} was saved by somebody else meanwhile: its last version is {there[-1]}",
                "reload to see it, then decide; nothing was removed",
            )
        for each in there:
            store.delete(DashboardAddress(name, each))


def _require_any(store: Store, name: str) -> list[int]:
    there = versions(store, name)
    if not there:
        raise NotFound(f"no dashboard {name!r} in {store.root}", "look at the list: it may be gone already")
    return there


def _since(name: str, base: int, last: int) -> tuple[str, str]:
    if base == 0:
        return (
            f"there is a dashboard {name!r} already",
            "open it to change it, or save this under another name",
        )
    if last < base:
        return (
            f"version {base} of dashboard {name!r} is no longer there",
            "reload, or save under another name",
        )
    return (
        f"dashboard {name!r} was saved by somebody else meanwhile: version {last}, yours began from {base}",
        "save yours under another name, or reload to see theirs; nothing of it was overwritten",
    )


def saved_dashboards(store: Store) -> list[Listed]:
    """Every dashboard that was saved, by name; one that can't be read hides no other."""
    found: list[Listed] = []
    for name in store.variants(DASHBOARDS):
        try:
            there = versions(store, name) if is_name(name) else []
            if there:
                found.append(Listed(name, there[-1], read(store, name).dashboard))
        except TdwError as error:
            found.append(Listed(name, 0, None, str(error)))
    return found
