"""Bundles that were damaged, forged, or written by an earlier version (R3)."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from faults.hostile.bags import forge, read_tar, visible, write_old, write_tar

from tdw.errors import CorruptFile, FingerprintMismatch, TdwError
from tdw.exchange.bundle import export_bundle
from tdw.exchange.import_checkpoints import import_bundle
from tdw.families import get_family
from tdw.store import Store

FAMILY = get_family("modulo_addition_1layer")
TINY = "p7_s1_d598_f0.5"
CONFIG = FAMILY.parse_variant(TINY)


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
    files = read_tar(small)
    write_tar(tmp_path / "more.tar", {**files, "tdw-bundle/data/more": b"x"})
    with pytest.raises(CorruptFile, match="does not account for tdw-bundle/data/more"):
        import_bundle(Store(tmp_path / "there"), tmp_path / "more.tar")
    last = next(reversed(files))
    write_tar(tmp_path / "fewer.tar", {name: data for name, data in files.items() if name != last})
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
