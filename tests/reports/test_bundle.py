"""Export and import (R3): what arrives is what was sent, or nothing does."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tracemalloc
from pathlib import Path

import bagit
import numpy as np
import pytest
from faults.hostile.bags import visible

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound, StoreError
from tdw.exchange import archive
from tdw.exchange.archive import Archive
from tdw.exchange.bundle import export_bundle
from tdw.exchange.contents import read_contents
from tdw.exchange.import_checkpoints import import_bundle
from tdw.families import get_family
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.making.tables import summarize
from tdw.store import Address, Store

FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"
CONFIG = FAMILY.parse_variant(TINY)


def test_what_is_imported_is_what_was_exported(full: Store, tmp_path: Path) -> None:
    exported = export_bundle(full, FAMILY, [TINY], tmp_path / "b.tdw.tar")
    there = Store(tmp_path / "there")
    imported = import_bundle(there, exported.path)
    expected = {path: mark for path, mark in visible(full.root).items() if "/states/" not in path}
    assert visible(there.root) == expected
    assert imported.num_new == imported.num_files == len(expected) == exported.num_files
    assert imported.variants == (TINY,)
    assert (TINY, "coarseness", 20) in imported.cells
    assert (TINY, "checkpoints", 0) in imported.cells
    assert there.read(Address(FAMILY.name, TINY, "coarseness", 20)).arrays
    assert not list(there.root.glob(".import-*"))


def test_what_a_killed_import_leaves_is_cleared_away(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Store(tmp_path / "there")
    monkeypatch.setattr("tdw.exchange.import_checkpoints._move", lambda *_: os._exit(9))
    pid = os.fork()
    if pid == 0:
        import_bundle(there, small)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 9
    (left,) = (file.finding for file in verify(there))
    assert left is not None and left.problem == "temporary"
    assert [one.done for one in repair(there, [left])] == ["deleted"]
    assert not list(there.root.iterdir())


def test_states_are_exported_when_they_are_asked_for(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar", include=["checkpoints", "states"])
    there = Store(tmp_path / "there")
    import_bundle(there, tmp_path / "b.tar")
    assert there.epochs(FAMILY.name, TINY, "states") == full.epochs(FAMILY.name, TINY, "states") != []
    assert there.epochs(FAMILY.name, TINY, "coarseness") == []


def test_importing_twice_changes_nothing(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    there = Store(tmp_path / "there")
    import_bundle(there, tmp_path / "b.tar")
    before = visible(there.root)
    assert import_bundle(there, tmp_path / "b.tar").num_new == 0
    assert visible(there.root) == before


def test_the_same_files_give_the_same_archive_and_any_tar_opens_it(full: Store, tmp_path: Path) -> None:
    first = export_bundle(full, FAMILY, [TINY], tmp_path / "a.tar")
    second = export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    assert first.sha256 == second.sha256
    with tarfile.open(first.path) as opened:
        names = opened.getnames()
        opened.extractall(tmp_path, filter="data")
    bag = tmp_path / "tdw-bundle"
    assert CONFIG.fingerprint in (bag / "README.md").read_text()
    for manifest in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", manifest], cwd=bag, check=True)
    assert bagit.Bag(str(bag)).validate()
    with Archive(Path(first.path)) as archive:
        contents = read_contents(archive)
    payload = [name for name in names if name.startswith("tdw-bundle/data/")]
    assert [contents.prefix + entry.path for entry in contents.files] == payload
    assert contents.variants[TINY]["config"] == CONFIG.to_dict()


def test_a_bag_that_another_tool_packed_again_is_read(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar") as opened:
        opened.extractall(tmp_path, filter="data")
    (tmp_path / "tdw-bundle").rename(tmp_path / "mine")
    subprocess.run(["tar", "cf", "again.tar", "mine"], cwd=tmp_path, check=True)
    expected = import_bundle(Store(tmp_path / "there"), tmp_path / "b.tar")
    assert import_bundle(Store(tmp_path / "elsewhere"), tmp_path / "again.tar") == expected
    assert visible(tmp_path / "elsewhere") == visible(tmp_path / "there")


def test_an_artifact_that_differs_from_the_stores_is_refused_and_replaced_on_request(
    full: Store, tmp_path: Path
) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    there = Store(tmp_path / "there")
    shutil.copytree(full.root, there.root)
    address = Address(FAMILY.name, TINY, "coarseness", 20)
    artifact = there.read(address)
    changed = {name: array + 0 for name, array in artifact.arrays.items()}
    changed["neuron_gradient"] = changed["neuron_gradient"] * 2
    there.write(address, changed, provenance=artifact.provenance)
    before = visible(there.root)
    with pytest.raises(FingerprintMismatch, match=r"coarseness/00020\.safetensors: the store has another"):
        import_bundle(there, tmp_path / "b.tar")
    assert visible(there.root) == before
    assert import_bundle(there, tmp_path / "b.tar", replace=True).num_new == 1
    np.testing.assert_array_equal(
        there.read(address).arrays["neuron_gradient"], artifact.arrays["neuron_gradient"]
    )


def test_the_stores_own_tables_and_plots_are_kept_and_named(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    there = Store(tmp_path / "there")
    shutil.copytree(full.root, there.root)
    summarize(there, FAMILY, CONFIG, "coarseness", epochs=[0, 10])
    plot = there.read_document(FAMILY.name, TINY, "blob_count")
    there.write_document(
        FAMILY.name, TINY, "blob_count", files={"data.csv": b"other"}, provenance=plot.provenance
    )
    before = visible(there.root)
    imported = import_bundle(there, tmp_path / "b.tar")
    assert visible(there.root) == before
    assert {path.split(f"{TINY}/")[1] for path in imported.kept} == {
        "summaries/coarseness.parquet",
        "plots/blob_count/manifest.json",
    }


def test_artifacts_of_another_checkpoint_than_the_stores_are_refused(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar", include=["coarseness"])
    there = Store(tmp_path / "there")
    address = Address(FAMILY.name, TINY, "checkpoints", 20)
    artifact = full.read(address)
    foreign = dataclasses.replace(artifact.provenance, checkpoint_fingerprint="0" * 64)
    there.write(address, artifact.arrays, provenance=foreign)
    with pytest.raises(FingerprintMismatch, match="made from checkpoint"):
        import_bundle(there, tmp_path / "b.tar")


def test_memory_does_not_grow_with_the_archive(tmp_path: Path) -> None:
    size = 24 << 20
    large = tmp_path / "large"
    with large.open("wb") as out:
        out.truncate(size)
    with large.open("rb") as stream:
        _, sha256 = archive.hash_stream(stream)
    tracemalloc.start()
    with large.open("rb") as stream, (tmp_path / "x.tar").open("wb") as out:
        writer = archive.Writer(out)
        writer.add_file("a/b/c.bin", stream, size=size, sha256=sha256)
        writer.close()
    with archive.Archive(tmp_path / "x.tar") as opened, (tmp_path / "copy").open("wb") as out:
        opened.copy("a/b/c.bin", out, sha256=sha256)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "copy").stat().st_size == size
    assert peak < 4 * archive.BLOCK


@pytest.mark.parametrize("now", [b"new", b"ol", b"older", b""])
def test_a_file_that_changes_while_it_is_exported_is_not_exported(now: bytes) -> None:
    sha256 = hashlib.sha256(b"old").hexdigest()
    with pytest.raises(CorruptFile, match="changed while"):
        archive.Writer(io.BytesIO()).add_file("a.bin", io.BytesIO(now), size=3, sha256=sha256)


def test_a_failed_export_leaves_no_archive(full: Store, tmp_path: Path, monkeypatch) -> None:
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.Writer, "close", fail)
    with pytest.raises(StoreError, match="No space left"):
        export_bundle(full, FAMILY, [TINY], tmp_path / "out" / "b.tar")
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_not_stored_is_named(full: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="p7_s9_d598"):
        export_bundle(full, FAMILY, ["p7_s9_d598"], tmp_path / "b.tar")
    with pytest.raises(NotFound, match="no_such_analyzer"):
        export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar", include=["no_such_analyzer"])
    with pytest.raises(BadConfig, match="not the key"):
        export_bundle(full, FAMILY, ["../x"], tmp_path / "b.tar")
    with pytest.raises(NotFound, match=r"no\.tar"):
        import_bundle(full, tmp_path / "no.tar")
