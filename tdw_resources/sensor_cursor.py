"""What a tick of the sensor leaves behind: in a file of the home, so that the cursor itself stays short.

Dagster stores the cursor with every tick. With a mark for each of 1,000 variants that would be gigabytes per
day. A file that is lost or of another tick counts as no cursor: then everything is looked at again.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from pathlib import Path

import dagster as dg

from tdw.errors import StoreError
from tdw.store.commit import write_atomic

LONGEST = 1000
"""Characters of a cursor that is kept as it is."""
_IN_FILE = "file:"


def keep(text: str, instance: dg.DagsterInstance, study: str) -> str:
    """The cursor that stands for `text`."""
    if len(text) <= LONGEST or not instance.is_persistent:
        return text
    cursor = _name(text)
    if recall(cursor, instance, study) == text:
        return cursor
    try:
        write_atomic(_path(instance, study), text.encode())
    except StoreError:
        return text  # a full disk: the database may still have room
    return cursor


def recall(cursor: str | None, instance: dg.DagsterInstance, study: str) -> str | None:
    """What a cursor stands for; None where that is lost."""
    if cursor is None or not cursor.startswith(_IN_FILE):
        return cursor
    text = ""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        text = _path(instance, study).read_bytes().decode()
    return text if _name(text) == cursor else None


def _name(text: str) -> str:
    return _IN_FILE + sha256(text.encode()).hexdigest()[:32]


def _path(instance: dg.DagsterInstance, study: str) -> Path:
    return Path(instance.root_directory) / "tdw_seen" / f"{study}.json"
