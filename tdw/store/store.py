"""The store: write, read and list artifacts, tables and plots below one root."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy.typing as npt

from tdw.errors import BadConfig, NotFound
from tdw.store import codec, document_files, lock, on_demand, reading
from tdw.store.commit import removing, write_atomic
from tdw.store.formats import jsonfile, tablefile, tensorfile
from tdw.store.layout import (
    CHECKPOINTS,
    COMPARISON,
    EPOCH_FILE,
    Address,
    DashboardAddress,
    RecordAddress,
    TableAddress,
    compared_study,
    folder,
    validate_name,
)
from tdw.store.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd

SmallRecord = RecordAddress | DashboardAddress
AnyAddress = Address | TableAddress | SmallRecord


@dataclass(frozen=True)
class Written:
    """What a commit wrote: where, how many bytes, and the SHA-256 of the content (64 hex digits).

    That is the one of the file with the arrays, also where they are kept on demand.
    """

    path: str
    nbytes: int
    sha256: str


@dataclass(frozen=True)
class Artifact:
    """Arrays by name (quantized and half-precision ones as float32), where they come from, and the checksum
    (64 hex digits) of the file that has them.

    `on_demand` says that the file has not: its arrays are computed when they are asked for.
    """

    arrays: dict[str, npt.NDArray[Any]]
    provenance: Provenance
    sha256: str = ""
    on_demand: bool = False


class Store:
    """All artifacts below `root`: a folder of this machine, or one that several machines share.

    Raises:
        BadConfig: an address such as `s3://bucket/folder`.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = _open_root(root)

    # One artifact

    def write(
        self,
        address: Address,
        arrays: Mapping[str, npt.NDArray[Any]],
        *,
        provenance: Provenance,
        quantize: Collection[str] = (),
        half: Collection[str] = (),
        on_demand: bool = False,
    ) -> Written:
        """Commit arrays; see `codec.pack` for the encodings.

        Args:
            on_demand: commit where they come from and their checksum alone (see `on_demand`).

        Raises:
            BadConfig: a value the encoding can't hold.
            StoreError: the disk refused; what was there before is untouched.
        """
        data, digest = tensorfile.encode(codec.pack(arrays, quantize=quantize, half=half), provenance)
        if on_demand:
            data, _ = tensorfile.encode({}, provenance, on_demand=digest)
        return self._commit(address, data, digest)

    def read(self, address: Address) -> Artifact:
        """All arrays of an artifact, after its checksum was checked; computed where they are kept on demand.

        Raises:
            NotFound, CorruptFile, Unreadable: each names the file.
        """
        found = self.read_kept(address)
        return self._decoded(address, on_demand.restore(self, address, found)) if found.on_demand else found

    def read_kept(self, address: Address) -> Artifact:
        """Like `read`, without arrays where they are kept on demand."""
        return self._decoded(address, _read(self.path(address)))

    def _decoded(self, address: Address, data: bytes) -> Artifact:
        path = self.path(address)
        packed, header, digest = tensorfile.decode(data, path=path)
        with reading.content(path):
            sha256, later = header.on_demand or digest, bool(header.on_demand)
            return Artifact(codec.unpack(packed), header.provenance, sha256, later)

    def drop_arrays(self, address: Address) -> int:
        """Keep an artifact on demand from now on; the bytes that this frees.

        Whether its arrays can be computed again is the caller's question (`tdw.making.on_demand`).

        Raises:
            NotFound, CorruptFile, Unreadable, StoreError: each names the file, which is as it was.
        """
        found = self.read_kept(address)
        if found.on_demand:
            return 0
        before = self.path(address).stat().st_size
        data, _ = tensorfile.encode({}, found.provenance, on_demand=found.sha256)
        return before - self._commit(address, data, found.sha256).nbytes

    def read_quantized_rows(self, address: Address, name: str, rows: Sequence[int]) -> codec.QuantizedRows:
        """Some rows of a quantized array as stored; only these are read and checked.

        Raises:
            NotFound, CorruptFile, Unreadable: each names the file.
        """
        with self._with_arrays(address) as (path, file):
            return tensorfile.read_quantized_rows(file, name, rows, path=path, size=_size(file))

    def read_rows(self, address: Address, name: str, rows: Sequence[int]) -> npt.NDArray[Any]:
        """Like `read_quantized_rows`, decoded: float32 (len(rows), ...)."""
        return self.read_quantized_rows(address, name, rows).decode()

    def read_block(self, address: Address, name: str, index: Sequence[int]) -> npt.NDArray[Any]:
        """array[index] of an array that is not quantized, as stored; only its bytes are read.

        They have no checksum of their own: check what must hold of the values.

        Raises:
            NotFound, CorruptFile, Unreadable: each names the file.
        """
        with self._with_arrays(address) as (path, file):
            return tensorfile.read_block(file, name, index, path=path, size=_size(file))

    def provenance(self, address: Address) -> Provenance:
        """Where an artifact comes from, as its header says."""
        return self.header(address).provenance

    def header(self, address: Address) -> tensorfile.Header:
        """The header of an artifact alone (its seal is not checked; `read` and `verify` do that).

        Raises:
            NotFound, CorruptFile, Unreadable: each names the file.
        """
        with self._opened(address) as (path, file):
            return tensorfile.Header.read(file, path=path, size=_size(file))

    @contextlib.contextmanager
    def _with_arrays(self, address: Address) -> Generator[tuple[Path, BinaryIO]]:
        """The file that has the arrays, on disk or computed."""
        with self._opened(address) as (path, file):
            # Of the file that is open, not of what has come in its place since.
            size = _size(file)
            if size > on_demand.LARGEST or not tensorfile.Header.read(file, path=path, size=size).on_demand:
                file.seek(0)
                yield path, file
                return
        yield path, io.BytesIO(on_demand.restore(self, address, self.read_kept(address)))

    @contextlib.contextmanager
    def _opened(self, address: Address) -> Generator[tuple[Path, BinaryIO]]:
        path = self.path(address)
        try:
            with reading.opened(path) as file:
                yield path, file
        except (FileNotFoundError, NotADirectoryError):
            raise _missing(path) from None

    # Tables

    def write_table(self, address: TableAddress, table: pd.DataFrame, *, provenance: Provenance) -> Written:
        """Commit a table (without its index) as parquet. Raises StoreError when the disk refuses."""
        data, digest = tablefile.encode(table, provenance)
        return self._commit(address, data, digest)

    def read_table(self, address: TableAddress) -> pd.DataFrame:
        """A table, its checksum checked. Raises NotFound, CorruptFile or Unreadable, naming the file."""
        return self.read_table_with_provenance(address)[0]

    def read_table_with_provenance(self, address: TableAddress) -> tuple[pd.DataFrame, Provenance]:
        """Like `read_table`, with where it comes from."""
        path = self.path(address)
        return tablefile.decode(_read(path), path=path)[:2]

    # Records

    def write_record(
        self, address: SmallRecord, values: Mapping[str, Any], *, provenance: Provenance
    ) -> Written:
        """Commit JSON-able values. Raises StoreError when the disk refuses."""
        data, digest = jsonfile.encode(values, provenance)
        return self._commit(address, data, digest)

    def read_record(self, address: SmallRecord) -> tuple[dict[str, Any], Provenance]:
        """Values and where they come from, checked. Raises NotFound, CorruptFile or Unreadable."""
        return jsonfile.decode(self.read_bytes(address), path=self.path(address))[:2]

    # Documents: the files of a plot or a report

    def write_document(
        self,
        family: str,
        variant: str | None,
        name: str,
        *,
        files: Mapping[str, bytes],
        provenance: Provenance,
    ) -> Written:
        """Commit the files of a plot or a report as one; `variant` as in `TableAddress`."""
        where = self.document_folder(family, variant, name)
        content, nbytes = document_files.write(where, files, provenance)
        return Written(str(where), nbytes, content)

    def read_document(self, family: str, variant: str | None, name: str) -> document_files.StoredDocument:
        """A committed plot or report. Raises NotFound, CorruptFile or Unreadable, naming the file."""
        return document_files.read(self.document_folder(family, variant, name))

    def document_folder(self, family: str, variant: str | None, name: str) -> Path:
        """The folder of a plot or a report."""
        return self.root / folder(family, variant or COMPARISON, "plots") / validate_name(name, what="plot")

    # What is there

    def path(self, address: AnyAddress) -> Path:
        """The file of an address."""
        return self.root / address.relative

    def exists(self, address: AnyAddress) -> bool:
        """Whether the file is there; says nothing about its bytes."""
        path = self.path(address)
        with reading.access(path):
            return path.exists()

    def epochs(self, family: str, variant: str, kind: str = CHECKPOINTS) -> list[int]:
        """Epochs of which there is a file, ascending."""
        return sorted(
            int(m[1]) for m in map(EPOCH_FILE.fullmatch, self._names(folder(family, variant, kind))) if m
        )

    def comparison_folders(self, family: str) -> list[str]:
        """The folders of tables, plots and reports over several variants, by name."""
        names = self._names(validate_name(family, what="family"))
        return sorted(name for name in names if compared_study(name) is not None)

    def where_compared(self, family: str, folder: str) -> str:
        """Where to read what covers a study's variants: in its folder, and while that is not there, where
        earlier versions wrote it for any study.
        """
        return COMPARISON if folder not in self.comparison_folders(family) else folder

    def variants(self, family: str) -> list[str]:
        """Names of the folders that variants have, by name. Others' files and folders may be among them:
        `tdw.families.stored` tells which are variants.
        """
        names = self._names(validate_name(family, what="family"))
        return sorted(name for name in names if not name.startswith(("_", ".")))

    def read_bytes(self, address: AnyAddress) -> bytes:
        """A file as it is, nothing checked. Raises NotFound or Unreadable, naming the file."""
        return _read(self.path(address))

    def delete(self, address: AnyAddress) -> None:
        """Remove a file; nothing happens when there is none.

        Raises:
            StoreError: the disk refused; names the file.
        """
        path = self.path(address)
        with removing(path):
            path.unlink(missing_ok=True)

    def lock(
        self,
        family: str,
        variant: str,
        stage: str,
        *,
        wait_s: float | None = None,
        on_wait: Callable[[], None] | None = None,
    ) -> AbstractContextManager[None]:
        """Be the only writer of a variant's stage ("train", ...). Raises Busy after `wait_s` seconds."""
        return lock.exclusive(self._lock_file(family, variant, stage), wait_s=wait_s, on_wait=on_wait)

    def is_locked(self, family: str, variant: str, stage: str) -> bool:
        """Whether someone works on a variant's stage now."""
        return lock.is_held(self._lock_file(family, variant, stage))

    def _lock_file(self, family: str, variant: str, stage: str) -> Path:
        return self.root / folder(family, variant, "locks") / f"{validate_name(stage, what='stage')}.lock"

    def _commit(self, address: AnyAddress, data: bytearray, digest: str) -> Written:
        path = self.path(address)
        write_atomic(path, data)
        return Written(str(path), len(data), digest)

    def _names(self, relative: str) -> list[str]:
        where = self.root / relative
        try:
            with reading.access(where):
                # 100 variants have 100,000 files: a path object for each would take most of the time.
                return os.listdir(where)  # noqa: PTH208
        except (FileNotFoundError, NotADirectoryError):
            return []


def _open_root(root: str | Path) -> Path:
    # An object store has no rename, no lock and stale listings: nothing that a store promises would hold.
    if "://" in str(root):
        raise BadConfig(
            f"{root}: a store is a folder, not an address",
            "give a folder, which machines may share; to keep or send results elsewhere, copy what `tdw "
            "export` writes",
        )
    return Path(root).expanduser().absolute()


def _read(path: Path) -> bytes:
    try:
        return reading.read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path) from None


def _size(file: BinaryIO) -> int:
    """Of the open file: the path may stand for another one by now."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def _missing(path: object) -> NotFound:
    return NotFound(f"{path}: no such artifact", "fill the gap: materialize its partition, or run `tdw fill`")
