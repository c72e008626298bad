"""The artifact store: where files are, how they are committed, sealed, read in slices and trusted.

Belongs here: layout, atomic commit, checksums, provenance, encodings. Does not: what an artifact means.
"""

from tdw.store.layout import Address, DashboardAddress, RecordAddress, TableAddress, format_epoch
from tdw.store.provenance import Provenance, tdw_version
from tdw.store.store import Artifact, Store, Written

__all__ = [
    "Address",
    "Artifact",
    "DashboardAddress",
    "Provenance",
    "RecordAddress",
    "Store",
    "TableAddress",
    "Written",
    "format_epoch",
    "tdw_version",
]
