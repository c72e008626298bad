"""Export and import (R3): what arrives is what was sent, or nothing does."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound, StoreError, TdwError
from tdw.exchange import archive, bundle
from tdw.exchange.archive import Entry
from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle, read_bundle_manifest
from tdw.families import get_family
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.making.comparison import write_comparison
from tdw.making.tables import summarize
from tdw.store import Address, Store, TableAddress, seal

FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"
CONFIG = FAMILY.parse_variant(TINY)


@pytest.fixture
def full(tiny_store: Store) -> Store:
    """Artifacts, states, tables, a plot of the variant and a table over variants."""
    for name in ("grokking", "coarseness", "frequencies"):
        summarize(tiny_store, FAMILY, CONFIG, name)
    write_comparison(tiny_store, FAMILY, [CONFIG], early_epoch=10)
    address = TableAddress(FAMILY.name, TINY, "coarseness")
    provenance = dataclasses.replace(tiny_store.read_table_with_provenance(address)[1], name="blob_count")
    tiny_store.write_plot(
        FAMILY.name, TINY, "blob_count", files={"data.csv": b"a\n1\n"}, provenance=provenance
    )
    return tiny_store


def visible(root: Path) -> dict[str, str]:
    """Path -> checksum of every file that is no lock."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file() and "locks" not in path.parts)
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_is_imported_is_what_was_exported(full: Store, tmp_path: Path) -> None:
    exported = export_bundle(full, FAMILY, [TINY], tmp_path / "b.tdw.tar")
    there = Store(tmp_path / "there")
    imported = import_bundle(there, exported.path)
    expected = {path: mark for path, mark in visible(full.root).items() if "/states/" not in path}
    assert visible(there.root) == expected
    assert imported.num_new == imported.num_files == len(expected) == exported.num_files - 1
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
        readme = opened.extractfile("README.md")
        assert readme is not None
        text = readme.read().decode()
    assert names[:2] == ["manifest.json", "README.md"]
    assert CONFIG.fingerprint in text
    manifest = read_bundle_manifest(first.path)
    assert [entry.path for entry in manifest.files] == names[1:]
    assert manifest.variants[TINY]["config"] == CONFIG.to_dict()


@pytest.fixture
def small(full: Store, tmp_path: Path) -> Path:
    """A small bundle: statistics and tables."""
    export_bundle(
        full, FAMILY, [TINY], tmp_path / "small.tar", include=["coarseness_stats", "summaries", "plots"]
    )
    return tmp_path / "small.tar"


@pytest.mark.parametrize("flips", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_flipped_byte_is_found_and_nothing_is_visible(small: Path, tmp_path: Path, flips: int) -> None:
    data = small.read_bytes()
    import_bundle(Store(tmp_path / "whole"), small)
    generator = np.random.default_rng(flips)
    # A tenth in the headers and the manifest, where a byte could hide best.
    places = [
        *generator.integers(0, len(data), flips - flips // 10),
        *generator.integers(0, 4096, flips // 10),
    ]
    there = Store(tmp_path / "there")
    flipped = tmp_path / "flipped.tar"
    for place in places:
        changed = bytearray(data)
        changed[place] ^= int(generator.integers(1, 256))
        flipped.write_bytes(changed)
        with pytest.raises(TdwError):
            import_bundle(there, flipped)
    assert visible(there.root) == {}


def test_every_kind_of_cut_and_growth_is_found(small: Path, tmp_path: Path) -> None:
    data = small.read_bytes()
    there = Store(tmp_path / "there")
    changed = tmp_path / "changed.tar"
    for cut in (
        data[:0],
        data[:100],
        data[:700],
        data[: len(data) // 2],
        data[:-1],
        data + b"\0",
        data + data,
    ):
        changed.write_bytes(cut)
        with pytest.raises(CorruptFile, match=r"changed\.tar"):
            import_bundle(there, changed)
    assert visible(there.root) == {}


def forge(small: Path, target: Path, change) -> None:
    """A bundle whose manifest and entries are consistent, made by an attacker: `change` edits its files."""
    with tarfile.open(small) as opened:
        files = {member.name: opened.extractfile(member).read() for member in opened.getmembers()}  # type: ignore[union-attr]
    note = json.loads(files.pop("manifest.json"))
    files, note = change(files, note)
    note["seal"] = seal.blank()
    note.setdefault("forged", True)
    note["files"] = [
        [path, note.get("sizes", {}).get(path, len(data)), hashlib.sha256(data).hexdigest()]
        for path, data in files.items()
    ]
    manifest = bytes(seal.seal(json.dumps(note).encode())[0])
    with target.open("wb") as out:
        for path, data in {"manifest.json": manifest, **files}.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o644
            out.write(info.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512))
        out.write(bytes(1024))


OUTSIDE = [
    "/etc/passwd",
    "../outside.safetensors",
    f"{FAMILY.name}/../../outside.safetensors",
    f"{FAMILY.name}/{TINY}/coarseness/../../../00020.safetensors",
    f"{FAMILY.name}/{TINY}/.hidden/00020.safetensors",
    f"{FAMILY.name}/{TINY}/coarseness/run.py",
    f"{FAMILY.name}/{TINY}/locks/train.lock",
    f"{FAMILY.name}/p7_s9_d598/coarseness/00020.safetensors",
    f"other/{TINY}/coarseness/00020.safetensors",
    "C:\\x.safetensors",
    "coarseness.safetensors",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_outside_the_layout_is_refused(small: Path, tmp_path: Path, path: str) -> None:
    def add(files, note):
        return {**files, path: b"x"}, note

    forge(small, tmp_path / "forged.tar", add)
    root = tmp_path / "a" / "b" / "there"
    with pytest.raises(TdwError):
        import_bundle(Store(root), tmp_path / "forged.tar")
    assert visible(root) == {}
    assert not list(tmp_path.glob("a/*.safetensors"))


def test_a_forged_bundle_without_a_fault_would_pass(small: Path, tmp_path: Path) -> None:
    forge(small, tmp_path / "forged.tar", lambda files, note: (files, note))
    import_bundle(Store(tmp_path / "there"), tmp_path / "forged.tar")


def test_a_link_in_the_place_of_a_file_is_refused(small: Path, tmp_path: Path) -> None:
    data = bytearray(small.read_bytes())
    with tarfile.open(small) as opened:
        member = opened.getmembers()[2]
    info = tarfile.TarInfo(member.name)
    info.type, info.linkname, info.size, info.mode = tarfile.SYMTYPE, "/etc/passwd", 0, 0o644
    data[member.offset : member.offset + 512] = info.tobuf(tarfile.USTAR_FORMAT)
    (tmp_path / "linked.tar").write_bytes(data)
    with pytest.raises(CorruptFile, match="header"):
        import_bundle(Store(tmp_path / "there"), tmp_path / "linked.tar")


def test_sizes_that_the_archive_does_not_have_are_refused_before_a_byte_is_written(
    small: Path, tmp_path: Path
) -> None:
    def promise(files, note):
        note["sizes"] = {next(path for path in files if path.endswith(".parquet")): 1 << 50}
        return files, note

    forge(small, tmp_path / "bomb.tar", promise)
    root = tmp_path / "there"
    with pytest.raises(CorruptFile, match="the manifest accounts for"):
        import_bundle(Store(root), tmp_path / "bomb.tar")
    assert not root.exists()


def test_a_file_of_another_place_is_refused(small: Path, tmp_path: Path) -> None:
    def swap(files, note):
        paths = [path for path in files if "coarseness_stats" in path]
        return {**files, paths[0]: files[paths[1]]}, note

    forge(small, tmp_path / "swapped.tar", swap)
    with pytest.raises(FingerprintMismatch, match="epoch is"):
        import_bundle(Store(tmp_path / "there"), tmp_path / "swapped.tar")
    assert visible(tmp_path / "there") == {}


def test_a_variant_with_another_configuration_than_its_key_says_is_refused(
    small: Path, tmp_path: Path
) -> None:
    def change(files, note):
        note["variants"][TINY]["config"]["seed"] = 2
        return files, note

    forge(small, tmp_path / "forged.tar", change)
    with pytest.raises(FingerprintMismatch, match=TINY):
        import_bundle(Store(tmp_path / "there"), tmp_path / "forged.tar")


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
    plot = there.read_plot(FAMILY.name, TINY, "blob_count")
    there.write_plot(
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
    source = tmp_path / "large"
    with source.open("wb") as out:
        out.truncate(size)
    with source.open("rb") as stream:
        entry = Entry("a/b/c.bin", *archive.hash_stream(stream))
    tracemalloc.start()
    with source.open("rb") as stream, (tmp_path / "x.tar").open("wb") as out:
        archive.write_file(out, entry, stream)
        archive.write_end(out)
    with (tmp_path / "x.tar").open("rb") as stream, (tmp_path / "copy").open("wb") as out:
        archive.read_file(stream, entry, out, where="x")
        archive.read_end(stream, where="x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "copy").stat().st_size == size
    assert peak < 4 * archive.BLOCK


def test_a_file_that_changes_while_it_is_exported_is_not_exported(tmp_path: Path) -> None:
    entry = Entry("a.bin", 3, hashlib.sha256(b"old").hexdigest())
    with pytest.raises(CorruptFile, match="changed while"):
        archive.write_file(io.BytesIO(), entry, io.BytesIO(b"new"))


def test_a_failed_export_leaves_no_archive(full: Store, tmp_path: Path, monkeypatch) -> None:
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle.archive, "write_end", fail)
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
