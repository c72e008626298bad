"""The store keeps its promises (INV, A2): nothing half-written is visible, every changed byte is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tdw.errors import BadConfig, Busy, CorruptFile, NotFound, StoreError
from tdw.store import Address, Provenance, Store, TableAddress, commit
from tdw.store.codec import quantize_rows
from tdw.store.fingerprints import fingerprint_arrays, fingerprint_json

ADDRESS = Address("toy", "p5_s1_d2", "neuron_activations", 300)
PROVENANCE = Provenance("toy", "p5_s1_d2", "neuron_activations", 300, parameters={"n": 3})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def maps(n: int = 6, p: int = 5) -> np.ndarray:
    return np.random.default_rng(0).random((n, p, p), np.float32) * 7 - 2


def test_what_is_written_is_read_with_its_provenance(store: Store) -> None:
    weights = {"embed.W_E": maps(), "step": np.array(300), "names": np.arange(4, dtype=np.uint8)}
    store.write(ADDRESS, weights, provenance=PROVENANCE)
    found = store.read(ADDRESS)
    assert found.provenance == PROVENANCE == store.provenance(ADDRESS)
    for name, array in weights.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].flags.writeable


def test_equal_content_gives_equal_bytes(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    for target in (store, other):
        target.write(ADDRESS, {"b": maps(), "a": maps(3)}, provenance=PROVENANCE, quantize={"b"})
    assert store.path(ADDRESS).read_bytes() == other.path(ADDRESS).read_bytes()


@given(hnp.arrays(np.float32, (3, 4, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_quantization_errs_by_at_most_half_a_step(array: np.ndarray) -> None:
    decoded = quantize_rows("m", array).decode()
    span = array.reshape(3, -1).max(1) - array.reshape(3, -1).min(1)
    error = np.abs(decoded.astype(np.float64) - array).reshape(3, -1).max(1)
    rounding = 4 * np.finfo(np.float32).eps * np.abs(array).reshape(3, -1).max(1)
    assert (error <= span / 510 + rounding + 1e-30).all()


def test_half_precision_errs_by_at_most_its_rounding(store: Store) -> None:
    array = maps()
    store.write(ADDRESS, {"m": array}, provenance=PROVENANCE, half={"m"})
    found = store.read(ADDRESS).arrays["m"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, array, rtol=2**-11, atol=6e-8)


@pytest.mark.parametrize("encoding", ["quantize", "half"])
def test_a_value_that_is_not_finite_is_refused_by_name(store: Store, encoding: str) -> None:
    bad = maps()
    bad[2, 1, 1] = np.nan
    with pytest.raises(BadConfig, match="m holds values"):
        store.write(ADDRESS, {"m": bad}, provenance=PROVENANCE, **{encoding: {"m"}})
    assert not store.exists(ADDRESS)


def test_rows_read_alone_equal_the_rows_of_the_whole(store: Store) -> None:
    store.write(ADDRESS, {"m": maps(20), "other": maps()}, provenance=PROVENANCE, quantize={"m"})
    rows = [19, 0, 7]
    np.testing.assert_array_equal(store.read_rows(ADDRESS, "m", rows), store.read(ADDRESS).arrays["m"][rows])


def test_absent_rows_and_arrays_are_named(store: Store) -> None:
    store.write(ADDRESS, {"m": maps(4)}, provenance=PROVENANCE, quantize={"m"})
    with pytest.raises(NotFound, match=r"rows 0\.\.3"):
        store.read_rows(ADDRESS, "m", [4])
    with pytest.raises(NotFound, match="'x'"):
        store.read_rows(ADDRESS, "x", [0])


def test_every_flipped_byte_of_an_artifact_is_found_and_the_file_named(store: Store) -> None:
    store.write(ADDRESS, {"m": maps(3), "x": maps(2)}, provenance=PROVENANCE, quantize={"m"}, half={"x"})
    path = store.path(ADDRESS)
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 0x20]) + good[position + 1 :])
        with pytest.raises(CorruptFile, match=r"00300\.safetensors"):
            store.read(ADDRESS)


def test_every_truncation_of_an_artifact_is_found(store: Store) -> None:
    store.write(ADDRESS, {"x": maps(2)}, provenance=PROVENANCE)
    path = store.path(ADDRESS)
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(CorruptFile, match=r"00300\.safetensors"):
            store.read(ADDRESS)


def test_every_flipped_byte_of_a_table_is_found(store: Store) -> None:
    address = TableAddress("toy", "p5_s1_d2", "coarseness")
    store.write_table(address, pd.DataFrame({"epoch": [0, 1], "x": [0.5, None]}), provenance=PROVENANCE)
    path = store.path(address)
    good = path.read_bytes()
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        with pytest.raises(CorruptFile, match=r"coarseness\.parquet"):
            store.read_table(address)


def test_a_changed_row_is_found_by_slice_reading(store: Store) -> None:
    store.write(ADDRESS, {"m": maps(3)}, provenance=PROVENANCE, quantize={"m"})
    path = store.path(ADDRESS)
    good = path.read_bytes()
    codes = quantize_rows("m", maps(3)).codes[1].tobytes()
    at = good.index(codes)
    path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
    with pytest.raises(CorruptFile, match="row 1 of m"):
        store.read_rows(ADDRESS, "m", [0, 1])
    store.read_rows(ADDRESS, "m", [0, 2])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_with_a_message(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    store = Store(tmp_path_factory.mktemp("fuzz"))
    for address, read in (
        (ADDRESS, store.read),
        (ADDRESS, store.provenance),
        (TableAddress("toy", "v", "t"), store.read_table),
    ):
        path = store.path(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        with pytest.raises(CorruptFile):
            read(address)


def test_nullable_integers_stay_nullable_in_tables(store: Store) -> None:
    address = TableAddress("toy", None, "grokking")
    table = pd.DataFrame({"variant": ["a", "b"], "grokking_epoch": pd.array([2200, None], dtype="Int64")})
    store.write_table(address, table, provenance=PROVENANCE)
    pd.testing.assert_frame_equal(store.read_table(address), table, check_dtype=False)
    assert store.read_table(address)["grokking_epoch"].dtype == "Int64"


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a..b", "x" * 200, "a\x00b"])
def test_no_name_leads_out_of_the_store(store: Store, name: str) -> None:
    with pytest.raises(BadConfig, match="can't be the name"):
        store.path(Address("toy", name, "coarseness", 0))
    with pytest.raises(BadConfig):
        store.document_folder("toy", "v", name)


def test_a_full_disk_leaves_the_old_version_and_names_path_and_bytes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(ADDRESS, {"m": maps(2)}, provenance=PROVENANCE)

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(commit.os, "fsync", no_space)
    with pytest.raises(StoreError, match=r"00300\.safetensors: could not write [\d,]+ bytes \(No space left"):
        store.write(ADDRESS, {"m": maps(3)}, provenance=PROVENANCE)
    assert store.read(ADDRESS).arrays["m"].shape == (2, 5, 5)
    assert list(commit.leftovers(store.root)) == []


@pytest.mark.parametrize("step", commit.STEPS)
def test_a_death_at_any_step_shows_the_old_version_or_the_new(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store.write(ADDRESS, {"m": maps(2)}, provenance=PROVENANCE)

    class Death(BaseException):
        pass

    def die(reached: str, _: object) -> None:
        if reached == step:
            raise Death

    monkeypatch.setattr(commit, "on_step", die)
    with pytest.raises(Death):
        store.write(ADDRESS, {"m": maps(3)}, provenance=PROVENANCE)
    new = step in ("renamed", "committed")
    assert len(store.read(ADDRESS).arrays["m"]) == (3 if new else 2)
    assert store.epochs("toy", "p5_s1_d2", "neuron_activations") == [300]


def test_the_second_writer_waits_for_the_first(store: Store) -> None:
    told = []
    with store.lock("toy", "v", "train"):
        with (
            pytest.raises(Busy, match=r"train\.lock"),
            store.lock("toy", "v", "train", wait_s=0.1, on_wait=lambda: told.append(1)),
        ):
            pass
        with store.lock("toy", "v", "analyze", wait_s=0):
            pass
    assert told == [1]


def test_a_plot_is_committed_as_one_and_checked_when_read(store: Store) -> None:
    store.write_document(
        "toy", "v", "mean", files={"figure.json": b"{}", "preview.png": b"1"}, provenance=PROVENANCE
    )
    store.write_document("toy", "v", "mean", files={"figure.json": b"[]"}, provenance=PROVENANCE)
    plot = store.read_document("toy", "v", "mean")
    assert plot.read("figure.json") == b"[]"
    with pytest.raises(NotFound, match="it has"):
        plot.read("preview.png")
    assert len([p for p in plot.folder.parent.iterdir() if p.is_dir()]) == 1
    (plot.folder / "figure.json").write_bytes(b"{}")
    with pytest.raises(CorruptFile, match=r"figure\.json"):
        plot.read("figure.json")
    (plot.folder.parent / "manifest.json").write_bytes(b"{}")
    with pytest.raises(CorruptFile, match=r"manifest\.json"):
        store.read_document("toy", "v", "mean")


def test_what_is_not_there_is_said_with_the_remedy(store: Store) -> None:
    for read in (store.read, store.provenance):
        with pytest.raises(NotFound, match="tdw fill"):
            read(ADDRESS)
    with pytest.raises(NotFound):
        store.read_document("toy", "v", "mean")
    assert store.epochs("toy", "v") == [] == store.variants("toy")


def test_a_folder_that_vanishes_while_leftovers_are_looked_for_is_none(store: Store) -> None:
    folder = store.root / ".import-a.999999.tmp" / "toy"
    (folder / "v").mkdir(parents=True)
    (folder / ".x.999999.tmp").touch()
    found = commit.leftovers(store.root)
    while next(found).parent != folder:
        pass
    shutil.rmtree(folder)
    assert list(found) == []


@pytest.mark.parametrize("address", ["s3://bucket/folder", "memory://x", "file:///tmp/x"])
def test_a_store_is_no_address(address: str) -> None:
    with pytest.raises(BadConfig, match="a folder, not an address"):
        Store(address)


def test_fingerprints_depend_on_name_dtype_shape_and_bytes_only() -> None:
    array = maps()
    base = fingerprint_arrays({"a": array, "b": array[0]})
    assert base == fingerprint_arrays({"b": array[0].copy(), "a": np.asfortranarray(array)})
    different = [{"a": array}, {"a": array, "c": array[0]}, {"a": array.astype(np.float64), "b": array[0]}]
    different.append({"a": array.reshape(-1), "b": array[0]})
    assert len({base, *map(fingerprint_arrays, different)}) == 5
    assert fingerprint_json({"a": 1, "b": 2}) == fingerprint_json({"b": 2, "a": 1})


def test_a_file_replaced_while_its_header_is_read_is_read_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(ADDRESS, {"maps": maps(3)}, provenance=PROVENANCE, quantize={"maps"})
    real, path = Path.open, store.path(ADDRESS)

    def replaced_first(self: Path, *args: object, **kwargs: object):
        if self == path:
            monkeypatch.undo()
            store.write(ADDRESS, {"maps": maps(9)}, provenance=PROVENANCE, quantize={"maps"})
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", replaced_first)
    assert store.read_rows(ADDRESS, "maps", [8]).shape == (1, 5, 5)


def test_a_header_that_lacks_parts_of_a_quantized_array_is_refused(store: Store) -> None:
    store.write(ADDRESS, {"maps": maps()}, provenance=PROVENANCE, quantize={"maps"})
    path = store.path(ADDRESS)
    for part in (b'"maps"', b'"maps.low"', b'"maps.scale"'):
        good = path.read_bytes()
        path.write_bytes(good.replace(part, part[:-2] + b'_"'))
        with pytest.raises(CorruptFile, match="lacks parts of maps"):
            store.read_rows(ADDRESS, "maps", [0])
        path.write_bytes(good)
