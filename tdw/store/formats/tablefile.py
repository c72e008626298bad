"""One parquet table: provenance in the footer, sealed like the tensor files."""

# pyarrow ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from tdw.known_settings import under_known_settings
from tdw.store import reading, seal
from tdw.store.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd


@under_known_settings
def encode(table: pd.DataFrame, provenance: Provenance) -> tuple[bytearray, str]:
    """The sealed bytes of a table (its index is dropped) and their checksum."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = pa.Table.from_pandas(table, preserve_index=False)
    note = f"{seal.blank()} {provenance.to_json()}"
    buffer = BytesIO()
    # Without the Arrow copy of the schema the mark stands in the file once, so sealing it is unambiguous.
    with pq.ParquetWriter(buffer, arrow.schema, compression="zstd", store_schema=False) as writer:
        writer.write_table(arrow)
        writer.add_key_value_metadata({"tdw": note, "pandas": arrow.schema.metadata[b"pandas"].decode()})
    return seal.seal(buffer.getvalue())


@under_known_settings
def decode(data: bytes, *, path: object) -> tuple[pd.DataFrame, Provenance, str]:
    """Check the seal, then read the table.

    Returns:
        The table, where it comes from, and the checksum.

    Raises:
        CorruptFile: any byte is not what was committed; names `path`.
        Unreadable: the bytes are sound, but arrow or pandas fails on them here.
    """
    digest = seal.check(data, path=path)
    with reading.content(path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        # Half the time of `read_table`, which looks for a dataset of many files. These tables are so small
        # that threads cost more than they save.
        arrow = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
        note = (arrow.schema.metadata or {})[b"tdw"].decode()
        provenance = Provenance.from_json(note.split(" ", 1)[1], path=path)
        return arrow.to_pandas(use_threads=False), provenance, digest
