"""Asset checks: the store's own view of the cells, on the assets' pages.

A partitioned asset can't go back from green to missing in Dagster. So a file that is deleted or damaged shows
here, and in `tdw status`; the sensor and `tdw fill` restore it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from tdw.epochs import format_epochs
from tdw.integrity.rereading import Memory, recorded_cells, reread
from tdw.inventory.cells import AssetGaps
from tdw.store import Store
from tdw_assets.cells.partitions import with_registered
from tdw_resources.events.records import inventory_of
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets

PRESENT, COVERED, SOUND = "files_present", "schedule_covered", "files_sound"
UP_TO_DATE = "up_to_date"
_SHOWN = 20
_WARN = dg.AssetCheckSeverity.WARN
_DESCRIPTIONS = {
    PRESENT: "Every cell that was materialized has its file in the store. A deleted file is restored by the "
    "sensor `reconcile` or by `tdw fill`.",
    COVERED: "Every epoch of the study is there for every variant, and none is out of date.",
    SOUND: "Every file that is new since the last check was read again: checksum over all bytes, finite "
    "values, fingerprints of variant, probe and checkpoint, and the content that its event recorded.",
}


def _present(cells: Mapping[str, AssetGaps]) -> list[str]:
    return [f"{variant}: epoch {format_epochs(of.lost)}" for variant, of in cells.items() if of.lost]


def _covered(cells: Mapping[str, AssetGaps]) -> list[str]:
    lines: list[str] = []
    for variant, of in cells.items():
        parts = {"missing": {*of.missing, *of.unrecorded}, "out of date": set(of.out_of_date)}
        lines += [f"{variant}: {what} {format_epochs(some)}" for what, some in parts.items() if some]
    return lines


def _unsound(
    wanted: WantedAssets,
    instance: dg.DagsterInstance,
    store: Store,
    asset: str,
    cells: Mapping[str, AssetGaps],
) -> list[str]:
    recorded = recorded_cells(store, wanted.family, asset, cells)
    return [line for lines in reread(recorded, memory_of(instance, wanted, asset)).values() for line in lines]


def outcome(name: str, wrong: Sequence[str], *, looked_at: int) -> dict[str, Any]:
    """How a check ends, by what is wrong: an error, or a warning where work is only left to do."""
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    details = {"details": "\n".join([*wrong[:_SHOWN], *more])} if wrong else {}
    return {
        "passed": not wrong,
        "severity": _WARN if name in (COVERED, UP_TO_DATE) else dg.AssetCheckSeverity.ERROR,
        "metadata": {"looked_at": looked_at, "wrong": len(wrong)} | details,
    }


def memory_of(instance: dg.DagsterInstance, wanted: WantedAssets, what: str) -> Memory:
    """What was found sound of an asset, kept beside the instance's database."""
    home = Path(instance.root_directory) if instance.is_persistent else None
    file = f"{wanted.family.name}-{what.replace('/', '-')}.json"
    return Memory.read(home / "sound" / file if home else None)


def check_cells(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, selected: set[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate some checks of the cells of all variants."""
    gaps = inventory_of(wanted, instance, store).gaps()
    for asset in ("checkpoint", *wanted.analyzers):
        key = wanted.key(asset)
        cells = {variant: of.cells[asset] for variant, of in gaps.items()}
        there = sum(len(of.recorded) for of in cells.values())
        looks: dict[str, Callable[[], list[str]]] = {
            PRESENT: partial(_present, cells),
            COVERED: partial(_covered, cells),
            SOUND: partial(_unsound, wanted, instance, store, asset, cells),
        }
        for name, look in looks.items():
            if dg.AssetCheckKey(key, name) in selected:
                ended = outcome(name, look(), looked_at=there)
                yield dg.AssetCheckResult(asset_key=key, check_name=name, **ended)


def cell_checks(wanted: WantedAssets) -> dg.AssetChecksDefinition:
    """Three checks for the checkpoints and each analyzer, in one op."""
    keys = [wanted.key(name) for name in ("checkpoint", *wanted.analyzers)]

    @dg.multi_asset_check(
        name=wanted.named("check_cells"),
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=words)
            for key in keys
            for name, words in _DESCRIPTIONS.items()
        ],
        can_subset=True,
        # No pool: what a person materializes brings its checks along, and would wait for one pool more.
    )
    def check(context: dg.AssetCheckExecutionContext, store: StoreResource):
        live = with_registered(wanted, context.instance)
        yield from check_cells(live, context.instance, store.open(), set(context.selected_asset_check_keys))

    return check
