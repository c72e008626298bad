"""Put what `integrity.verify` found out of the way, so that the next fill makes it again.

Left-over temporary files and what no manifest names are deleted. A damaged or misplaced file is moved to the
same place below `.damaged` in the store: nothing reads it there, and nothing is lost that someone may want to
look at. What others put into the store is left alone, and so is what could not be read for another reason
than its bytes: an unreadable file may be sound.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tdw.errors import StoreError
from tdw.integrity.file_problems import FileProblem
from tdw.store import Store
from tdw.store.layout import DASHBOARDS, STATES

DAMAGED = ".damaged"
_MOVED = ("corrupt", "mismatch", "not finite", "not as recorded")
_LEFT = ("not ours", "unreadable")


@dataclass(frozen=True)
class Repaired:
    """What became of a finding.

    Attributes:
        done: "deleted", "moved", "fill" (a fill makes it again or corrects it), or "left" (for a person).
        where: the new place of a moved file, else "".
    """

    finding: FileProblem
    done: Literal["deleted", "moved", "fill", "left"]
    where: str = ""


def repair(store: Store, findings: Iterable[FileProblem]) -> Iterator[Repaired]:
    """Repair what can be repaired; hold the locks of the variants concerned.

    Raises:
        StoreError: a file can't be moved or deleted; names it.
    """
    for finding in findings:
        path = Path(finding.path)
        try:
            if finding.problem == "temporary" or (finding.problem == "orphan" and path.is_dir()):
                _delete(path)
                yield Repaired(finding, "deleted")
            elif finding.problem in _MOVED:
                yield Repaired(finding, "moved", str(_move(store, path)))
            else:
                yield Repaired(finding, "left" if finding.problem in _LEFT else "fill")
        except OSError as error:
            raise StoreError(
                f"{path}: can't be moved or deleted ({error.strerror or error})",
                "correct the permissions of the store, then repair again",
            ) from error


def needs_fill(repaired: Repaired) -> bool:
    """Whether `tdw fill` has something to do about it. A lost state costs time on a later replay, no more; of
    a dashboard the version before is shown.
    """
    again = repaired.finding.kind not in (STATES, DASHBOARDS)
    return repaired.done == "fill" or (repaired.done == "moved" and again)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _move(store: Store, path: Path) -> Path:
    if not path.exists():
        return path  # moved with its plot's folder already
    target = store.root / DAMAGED / path.relative_to(store.root)
    number = 0
    while target.exists():
        number += 1
        target = target.with_name(f"{path.name}.{number}")
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target)
    return target
