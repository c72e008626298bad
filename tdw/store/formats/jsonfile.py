"""A small JSON record: plain values and their provenance, sealed like the tensor files, light to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from tdw.store import reading, seal
from tdw.store.provenance import Provenance


def encode(values: Mapping[str, Any], provenance: Provenance) -> tuple[bytearray, str]:
    """The sealed bytes of a record and their checksum. Equal values give equal bytes.

    Args:
        values: JSON-able.
        provenance: of the record.
    """
    note = {"seal": seal.blank(), "values": dict(values), "provenance": provenance.to_json()}
    return seal.seal(json.dumps(note, indent=1).encode())


def decode(data: bytes, *, path: object) -> tuple[dict[str, Any], Provenance, str]:
    """Check the seal, then read the record.

    Returns:
        The values, where they come from, and the checksum.

    Raises:
        CorruptFile: any byte is not what was committed; names `path`.
        Unreadable: it is sealed, but not a record that this version can read.
    """
    digest = seal.check(data, path=path)
    with reading.content(path):
        note = json.loads(data)
        values, provenance = note["values"], note["provenance"]
        if not isinstance(values, dict):
            raise TypeError("its values are no mapping")
        return cast("dict[str, Any]", values), Provenance.from_json(provenance, path=path), digest
