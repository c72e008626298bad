"""Show what is there, missing, out of date and failed, by variant and asset.

Looks at file names and Dagster's event log, and at headers of what the study keeps on demand, never at the
content of a file (`tdw verify` does that), and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig
from tdw.study import load_studies
from tdw_workbench.cli import add_studies, places_of
from tdw_workbench.terminal import count, format_table

if TYPE_CHECKING:
    from tdw.inventory.arrays import KeptArrays
    from tdw.inventory.disputes import Dispute
    from tdw.inventory.study_status import StudyStatus

_HEADS = ("", "checkpoints", "analyses", "missing", "out of date", "failed", "tables+plots", "")

_MOST = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw status`."""
    add_studies(parser)
    parser.add_argument("--variant", metavar="KEY", help="one variant, asset by asset")
    parser.add_argument("--json", action="store_true", help="everything, machine-readable")


def run(options: argparse.Namespace) -> int:
    """Print the state of the studies."""
    from tdw.inventory.arrays import find_kept_arrays
    from tdw.store import Store
    from tdw_assets.cells.partitions import describe_foreign
    from tdw_assets.status import read_status
    from tdw_resources.events.records import disputes_of
    from tdw_resources.reading import Reading, read_instance
    from tdw_resources.runs.progress import read_progress
    from tdw_resources.wanted import WantedAssets
    from tdw_workbench.adoption import adoption_note

    places = places_of(options)
    studies = load_studies(places.studies)

    def look(reading: Reading) -> tuple[list[tuple[StudyStatus, str]], list[list[Dispute]], bool]:
        store, several = Store(places.store), [WantedAssets.of(study) for study in studies]
        statuses = [read_status(wanted, reading.instance, store) for wanted in several]
        notes = [adoption_note(wanted, reading.instance, places) for wanted in several]
        disputes = [disputes_of(wanted, reading.instance, store) for wanted in several]
        return list(zip(statuses, notes, strict=True)), disputes, reading.recorded

    statuses, disputes, recorded = read_instance(places.home, look)
    running = read_progress(places.home)
    store = Store(places.store)
    if options.json:
        shared = {
            "store": places.store,
            "home": str(places.home),
            "recorded": recorded,
            "running": [
                {"variant": w.variant, "stage": w.stage, "done": w.done, "total": w.total, "text": w.text}
                for w in running
            ],
        }
        values = [
            status.to_dict()
            | shared
            | {"note": note, "disputes": [asdict(each) for each in found]}
            | {"arrays": [asdict(each) for each in find_kept_arrays(study, store, status.gaps)]}
            for study, (status, note), found in zip(studies, statuses, disputes, strict=True)
        ]
        print(json.dumps(values[0] if len(values) == 1 else values, indent=1))
        return 0
    if options.variant and not any(options.variant in status.gaps for status, _ in statuses):
        raise BadConfig(*_not_there(options.variant, [status for status, _ in statuses]))
    blocks: list[str] = []
    for study, (status, note), found, path in zip(studies, statuses, disputes, places.studies, strict=True):
        if options.variant and options.variant not in status.gaps:
            continue
        lines = [f"Study {status.wanted.name} ({path}) in {places.store}"]
        lines += _one(status, options.variant) if options.variant else _all(status)
        arrays = find_kept_arrays(study, store, [options.variant] if options.variant else status.gaps)
        lines += [_where_they_are(each) for each in arrays if each.on_disk or each.on_demand]
        lines += [f"Note: {describe_foreign(WantedAssets.of(study), key)}." for key in status.foreign]
        lines += [f"Can't be made here: {each.error()}" for each in found[:_MOST]]
        more = len(found) - _MOST
        lines += [f"And {more:,} more can't be made here; --json lists all."] if more > 0 else []
        lines += [f"Automation asked last for {status.asked}."] if status.asked else []
        lines += [f"It waits: {words}." for words in status.waits[:_MOST]]
        if note:
            unknown = "" if recorded else " Until then, what failed or is out of date is unknown."
            lines.append(note + unknown)
        blocks.append("\n".join(lines))
    blocks += ["\n".join(f"running: {work.stage} {work.text}" for work in running)] if running else []
    print("\n\n".join(blocks))
    return 0


def _not_there(variant: str, statuses: Sequence[StudyStatus]) -> tuple[str, str]:
    names = " and ".join(status.wanted.name for status in statuses)
    have = ", ".join(dict.fromkeys(key for status in statuses for key in status.gaps))
    return f"study {names} has no variant {variant!r}", f"it has: {have}"


def _all(status: StudyStatus) -> list[str]:
    """One line per variant, what covers all of them, and what to do about it."""
    values = status.to_dict()
    rows: list[tuple[str, ...]] = []
    epochs = len(status.wanted.epochs)
    for variant, of in values["variants"].items():
        totals, trained = of["totals"], of["cells"]["checkpoint"]["there"]
        rows.append(
            (
                variant,
                f"{trained}/{epochs}",
                f"{totals['there'] - trained}/{totals['cells'] - epochs}",
                *(_number(totals[name]) for name in ("missing", "out_of_date", "failed")),
                f"{totals['tables_and_plots_done']}/{totals['tables_and_plots']}",
                "being worked on" if of["busy"] else "",
            )
        )
    over_all = values["comparison"]
    done = sum(state == "done" for state in over_all.values())
    rows.append(("all variants", "", "", "", "", "", f"{done}/{len(over_all)}", ""))
    return [*format_table(_HEADS, rows), *_extra(values["adaptive"]), *_advice(values)]


def _extra(adaptive: Mapping[str, Any] | None) -> list[str]:
    """What the study's adaptive rule has added, and whether that may change."""
    if adaptive is None:
        return []
    lines: list[str] = []
    if adaptive["chosen_by"]:
        chosen_by = count(len(adaptive["chosen_by"]), "variant")
        epochs = adaptive["extra_epochs"] or "none"
        lines.append(f"Extra checkpoints, where the test loss of {chosen_by} falls fastest: {epochs}.")
    if adaptive["due"]:
        lines.append("Extra checkpoints are chosen when every variant is trained to the end, or has failed.")
    return lines


def _advice(values: Mapping[str, Any]) -> list[str]:
    totals = values["totals"]
    if values["complete"]:
        return ["Nothing is missing."]
    lines: list[str] = []
    if totals["unrecorded"]:
        lines.append(
            f"{count(totals['unrecorded'], 'file')} of which no event tells: `tdw fill` checks and records."
        )
    if totals["out_of_date"]:
        lines.append(
            f"{count(totals['out_of_date'], 'cell')} out of date: `tdw fill --out-of-date` computes them."
        )
    if totals["failed"]:
        lines.append(
            f"{count(totals['failed'], 'cell')} failed when last tried: see `tdw status --variant KEY`."
        )
    return lines or ["`tdw fill` or `tdw up` fills what is missing."]


def _one(status: StudyStatus, variant: str) -> list[str]:
    """A line an asset of one variant."""
    of = status.to_dict()["variants"][variant]
    names = ("there", "missing", "out_of_date", "failed", "unrecorded", "not_in_study")
    heads = (variant, *(name.replace("_", " ") for name in names))
    rows: list[tuple[str, ...]] = []
    for asset, cells in of["cells"].items():
        rows.append((asset, str(cells["there"]), *(cells[name] for name in names[1:])))
    tables = [(name, state.replace("_", " ")) for name, state in of["tables_and_plots"].items()]
    tables = [("history", "done" if of["history"] else "missing"), *tables]
    return [*format_table(heads, rows), *format_table(("tables and plots", ""), tables)]


def _where_they_are(of: KeptArrays) -> str:
    """How many cells have their arrays on disk, and how many on demand."""
    more = f" Of the former `tdw thin --apply` drops {of.to_drop:,}." if of.to_drop else ""
    cells = f"{count(of.on_disk, 'cell')} on disk, {of.on_demand:,} on demand (computed when asked for)"
    return f"Arrays of {of.analyzer}: {cells}.{more}"


def _number(value: int) -> str:
    return str(value) if value else "-"
