"""What a blob is, for whatever asks only that."""

from __future__ import annotations

from dataclasses import dataclass

from tdw.parameters import is_share, require


@dataclass(frozen=True)
class BlobRule:
    """Parameters of a product that counts or marks blobs.

    Attributes:
        blob_from: coarseness of a blob, at least; the same as for `coarseness_stats`.
    """

    blob_from: float = 0.7

    def __post_init__(self) -> None:
        require(is_share(self.blob_from), "blob_from", self.blob_from, wanted="a share in 0..1")
