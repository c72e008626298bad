"""Export and import (R3): what arrives is what was sent, or nothing does."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import bagit
import numpy as np
import pytest

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound, StoreError, TdwError
from tdw.exchange import archive
from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle, read_bundle_contents
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
    contents = read_bundle_contents(first.path)
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


def test_a_bundle_of_earlier_versions_is_read_and_its_damage_found(full: Store, tmp_path: Path) -> None:
    export_bundle(full, FAMILY, [TINY], tmp_path / "b.tar")
    expected = import_bundle(Store(tmp_path / "there"), tmp_path / "b.tar")
    old = tmp_path / "old.tar"
    write_old(tmp_path / "b.tar", old)
    assert import_bundle(Store(tmp_path / "old"), old) == expected
    assert visible(tmp_path / "old") == visible(tmp_path / "there")
    data = old.read_bytes()
    for place in (700, len(data) // 2):
        old.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(CorruptFile, match=r"old\.tar"):
            import_bundle(Store(tmp_path / "damaged"), old)
    assert visible(tmp_path / "damaged") == {}


@pytest.fixture
def small(full: Store, tmp_path: Path) -> Path:
    """A small bundle: statistics and tables."""
    export_bundle(
        full, FAMILY, [TINY], tmp_path / "small.tar", include=["coarseness_stats", "summaries", "plots"]
    )
    return tmp_path / "small.tar"


@pytest.mark.parametrize("flips", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_flipped_byte_is_found_or_changes_nothing(small: Path, tmp_path: Path, flips: int) -> None:
    """Padding, owners and times are free; whatever else is changed is found, and nothing is visible."""
    data = small.read_bytes()
    whole = Store(tmp_path / "whole")
    import_bundle(whole, small)
    expected = visible(whole.root)
    generator = np.random.default_rng(flips)
    # A tenth in the headers and the manifest, where a byte could hide best.
    places = [
        *generator.integers(0, len(data), flips - flips // 10),
        *generator.integers(0, 4096, flips // 10),
    ]
    flipped = tmp_path / "flipped.tar"
    found = 0
    for place in places:
        changed = bytearray(data)
        changed[place] ^= int(generator.integers(1, 256))
        flipped.write_bytes(changed)
        there = Store(tmp_path / "there")
        try:
            import_bundle(there, flipped)
        except TdwError:
            found += 1
            assert visible(there.root) == {}
        else:
            assert visible(there.root) == expected
            shutil.rmtree(there.root)
    assert found > flips // 2


def test_every_kind_of_cut_is_found(small: Path, tmp_path: Path) -> None:
    data = small.read_bytes()
    with tarfile.open(small) as opened:
        last = opened.getmembers()[-1]
    there = Store(tmp_path / "there")
    changed = tmp_path / "changed.tar"
    for cut in (
        data[:0],
        data[:100],
        data[:700],
        data[: len(data) // 2],
        data[: last.offset_data + last.size - 1],
        data[: last.offset],
    ):
        changed.write_bytes(cut)
        with pytest.raises(CorruptFile, match=r"changed\.tar"):
            import_bundle(there, changed)
    assert visible(there.root) == {}


def unpack(file: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a store in a bundle, and its variants."""
    with tarfile.open(file) as opened:
        all_files = {m.name: opened.extractfile(m).read() for m in opened.getmembers()}  # type: ignore[union-attr]
    data = "tdw-bundle/data/"
    files = {name.removeprefix(data): content for name, content in all_files.items() if name.startswith(data)}
    return files, json.loads(all_files["tdw-bundle/variants.json"])


def pack(target: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(target, "w") as opened:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))


def sha256sum(files: dict[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in files.items()).encode()


def forge(small: Path, target: Path, change) -> None:
    """A bundle whose manifests and files are consistent, made by an attacker: `change` edits its files."""
    files, note = change(*unpack(small))
    payload = {f"data/{path}": data for path, data in files.items()}
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": b"",
        "README.md": b"",
        "variants.json": json.dumps(note).encode(),
        "manifest-sha256.txt": sha256sum(payload),
    }
    all_files = {**tags, "tagmanifest-sha256.txt": sha256sum(tags), **payload}
    pack(target, {f"tdw-bundle/{path}": data for path, data in all_files.items()})


def write_old(small: Path, target: Path) -> None:
    """A bundle as versions before BagIt wrote it: a sealed manifest.json, the README, the files."""
    files, note = unpack(small)
    files = {"README.md": b"# A bundle", **files}
    listed = [[path, len(data), hashlib.sha256(data).hexdigest()] for path, data in files.items()]
    old = {
        "seal": seal.blank(),
        "format": 1,
        "tdw": note["tdw"],
        "variants": note["variants"],
        "files": listed,
    }
    pack(target, {"manifest.json": bytes(seal.seal(json.dumps(old).encode())[0]), **files})


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
        member = opened.getmembers()[-1]
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE):
        info = tarfile.TarInfo(member.name)
        info.type, info.linkname, info.size, info.mode = kind, "/etc/passwd", 0, 0o644
        data[member.offset : member.offset + 512] = info.tobuf(tarfile.USTAR_FORMAT)
        (tmp_path / "linked.tar").write_bytes(data)
        with pytest.raises(CorruptFile, match=r"linked\.tar"):
            import_bundle(Store(tmp_path / "there"), tmp_path / "linked.tar")
    assert visible(tmp_path / "there") == {}


@pytest.mark.parametrize("size", [1 << 50, -512, -1 << 40])
def test_a_size_that_the_archive_does_not_have_is_refused_before_a_byte_is_written(
    small: Path, tmp_path: Path, size: int
) -> None:
    data = bytearray(small.read_bytes())
    with tarfile.open(small) as opened:
        member = opened.getmembers()[-2]
    info = tarfile.TarInfo(member.name)
    info.size = size
    data[member.offset : member.offset + 512] = info.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "bomb.tar").write_bytes(data)
    root = tmp_path / "there"
    with pytest.raises(CorruptFile, match=r"bomb\.tar"):
        import_bundle(Store(root), tmp_path / "bomb.tar")
    assert not root.exists()


def test_a_file_that_the_manifest_does_not_list_is_refused(small: Path, tmp_path: Path) -> None:
    with tarfile.open(small) as opened:
        files = {m.name: opened.extractfile(m).read() for m in opened.getmembers()}  # type: ignore[union-attr]
    pack(tmp_path / "more.tar", {**files, "tdw-bundle/data/more": b"x"})
    with pytest.raises(CorruptFile, match="does not account for tdw-bundle/data/more"):
        import_bundle(Store(tmp_path / "there"), tmp_path / "more.tar")
    last = next(reversed(files))
    pack(tmp_path / "fewer.tar", {name: data for name, data in files.items() if name != last})
    with pytest.raises(CorruptFile, match=last):
        import_bundle(Store(tmp_path / "there"), tmp_path / "fewer.tar")
    assert visible(tmp_path / "there") == {}


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
