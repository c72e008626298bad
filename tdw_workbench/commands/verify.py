"""Re-read every file of the store, and hold the store against Dagster's event log.

Every byte is looked at: checksums, headers, shapes, finite values, and whether an artifact is of the
variant, probe and checkpoint it stands for. Then the event log: a file without an event, an event without a
file, a file with other content than its event recorded. --repair deletes left-over temporary files and moves
damaged files aside, to .damaged in the store; `tdw fill` makes them again. Without it nothing is written.

What others put into the store ("not ours": a copied folder, Thumbs.db) is listed, left alone, and no damage.

Exit code 0: all is sound (with --repair: or repaired, or left to `tdw fill`); 1: something is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tdw.errors import Busy, NotFound
from tdw.families import all_families
from tdw.integrity.file_problems import Checked, FileProblem
from tdw.integrity.repair import Repaired, needs_fill, repair
from tdw.integrity.verify import summed_size, verify
from tdw.store import Store
from tdw.store.layout import compared_study
from tdw.store.lock import is_held
from tdw_resources.places import Places
from tdw_workbench.cli import add_studies, places_of
from tdw_workbench.terminal import Screen, bar, count

_SHOWN = 200
_MEANING = {
    "corrupt": "bytes changed or cut",
    "unreadable": "can't be read for another reason than their bytes, and left as they are",
    "mismatch": "of another variant, probe, checkpoint or place",
    "not finite": "values that are NaN or infinite",
    "orphan": "what it was made from, or belongs to, is not there",
    "temporary": "left by a killed writer",
    "not ours": "nothing that tdw wrote; ignored everywhere, and no damage",
    "no file": "recorded in Dagster, but the file is gone",
    "no event": "in the store, but not recorded in Dagster",
    "not as recorded": "not what Dagster has recorded",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw verify`."""
    add_studies(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument(
        "--repair", action="store_true", help="delete temporary files, move damaged files aside"
    )


@dataclass(frozen=True)
class Verified:
    """What was looked at and found.

    Attributes:
        busy: variants that something works on now; they were compared with no event.
        compared: whether there was an event log to compare with.
    """

    files: int
    nbytes: int
    findings: tuple[FileProblem, ...]
    busy: tuple[str, ...]
    compared: bool


def run(options: argparse.Namespace) -> int:
    """Verify."""
    places = places_of(options)
    store = Store(places.store)
    if not store.root.is_dir():
        raise NotFound(f"{store.root}: there is no store", "give its folder with --store, or run `tdw fill`")
    screen = Screen(sys.stderr if options.json else None)
    found = look(store, places, screen, busy=busy_variants(store))
    repaired: tuple[Repaired, ...] = ()
    if options.repair and found.findings:
        with nobody_writes(store):
            # What was half written at the first look is whole by now, or its writer is dead.
            again = look(store, places, screen, busy=())
            found = replace(again, findings=tuple(f for f in again.findings if f in found.findings))
            repaired = tuple(repair(store, found.findings))
    if options.json:
        print(json.dumps(_as_json(found, repaired if options.repair else None), indent=1))
    else:
        _say(found, repaired, screen, repairing=options.repair)
    damaged = any(finding.problem != "not ours" for finding in found.findings)
    return 1 if damaged and not options.repair else 0


def look(store: Store, places: Places, screen: Screen, *, busy: tuple[str, ...]) -> Verified:
    """Read everything, then compare with the event log where there is one; not what is of `busy` variants."""
    total, read = summed_size(store), 0
    checked: list[Checked] = []
    for file in verify(store):
        checked.append(file)
        read += file.nbytes
        done = min(1.0, read / max(1, total))
        screen.paint(
            [f"  [{bar(done)}] {done:4.0%}  {len(checked):,} files, {read / 1e6:,.0f} MB  {file.path}"]
        )
    screen.close()
    findings = [file.finding for file in checked if file.finding]
    from tdw.integrity.against_records import compare_with_records
    from tdw_resources.events.records import read_contents
    from tdw_resources.reading import Reading, read_instance

    def compare(reading: Reading) -> list[FileProblem] | None:
        if not reading.recorded:
            return None
        recorded = read_contents(reading.instance)
        return list(compare_with_records(checked, store, recorded, families=all_families(), busy=busy))

    compared = read_instance(places.home, compare)
    findings += compared or []
    return Verified(len(checked), read, tuple(findings), busy, compared is not None)


def busy_variants(store: Store) -> tuple[str, ...]:
    """Variants with a stage that some process works on now; "" stands for what covers several."""
    folders = (path.parent.parent for path in _locks(store) if is_held(path))
    return tuple(sorted({path.name if compared_study(path.name) is None else "" for path in folders}))


@contextlib.contextmanager
def nobody_writes(store: Store) -> Generator[None]:
    """Hold every lock of the store.

    Raises:
        Busy: something works on a variant.
    """
    with contextlib.ExitStack() as stack:
        for lock in _locks(store):
            family, variant = lock.parent.parent.parent.name, lock.parent.parent.name
            try:
                stack.enter_context(store.lock(family, variant, lock.stem, wait_s=0.0))
            except Busy as error:
                raise Busy(
                    f"{variant} is being worked on ({lock.stem})", "repair when the run is over, or stop it"
                ) from error
        yield


def _locks(store: Store) -> Iterator[Path]:
    for family in all_families():
        yield from sorted((store.root / family.name).glob("*/locks/*.lock"))


def _say(found: Verified, repaired: Sequence[Repaired], screen: Screen, *, repairing: bool) -> None:
    outcome = {id(one.finding): one for one in repaired}
    for finding in found.findings[:_SHOWN]:
        screen.say(
            f"{finding.problem}: {finding.path}\n  {finding.detail}{_outcome(outcome.get(id(finding)))}"
        )
    if len(found.findings) > _SHOWN:
        screen.say(f"and {len(found.findings) - _SHOWN:,} more; --json lists all")
    if found.busy:
        named = ", ".join(variant or "plots over variants" for variant in found.busy)
        screen.say(f"Being worked on, and not compared with the event log: {named}.")
    if not found.compared:
        screen.say(
            "There is no Dagster instance of this store: only the files were checked; whether they are "
            "recorded is unknown."
        )
    read = f"{count(found.files, 'file')} read, {found.nbytes / 1e6:,.1f} MB"
    if not found.findings:
        screen.say(f"{read}: all sound.")
        return
    counts: dict[str, int] = {}
    for finding in found.findings:
        counts[finding.problem] = counts.get(finding.problem, 0) + 1
    listed = "\n".join(f"  {number:6,}  {name}: {_MEANING[name]}" for name, number in counts.items())
    screen.say(f"{read}; {count(len(found.findings), 'finding')}:\n{listed}")
    if all(finding.problem == "not ours" for finding in found.findings):
        screen.say("All that tdw wrote is sound.")
    elif not repairing:
        screen.say("`tdw verify --repair` clears away what is damaged; `tdw fill` makes what is missing.")
    elif any(map(needs_fill, repaired)):
        screen.say("Now run `tdw fill`: it makes what was moved away, and records what is not recorded.")


def _outcome(one: Repaired | None) -> str:
    if one is None:
        return ""
    return {
        "deleted": "\n  deleted",
        "moved": f"\n  moved to {one.where}",
        "fill": "\n  left to `tdw fill`",
        "left": "\n  left alone"
        + (": correct the cause, then verify again" if one.finding.problem == "unreadable" else ""),
    }[one.done]


def _as_json(found: Verified, repaired: Sequence[Repaired] | None) -> dict[str, object]:
    listed = [asdict(finding) for finding in found.findings]
    for entry, one in zip(listed, repaired or (), strict=False):
        entry |= {"repair": one.done, "moved_to": one.where}
    return {
        "files": found.files,
        "bytes": found.nbytes,
        "compared_with_events": found.compared,
        "busy": list(found.busy),
        "findings": listed,
    }
