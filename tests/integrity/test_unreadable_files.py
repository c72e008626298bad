"""A reader that fails says nothing about the bytes: only a checksum that does not fit is damage."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from tiny_variant import TINY, TINY_EPOCHS

from tdw.errors import Unreadable
from tdw.exchange.bundle import export_bundle
from tdw.families import get_family
from tdw.integrity.file_problems import Checked
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.inventory.products import Product
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store, TableAddress, codec
from tdw.store.layout import CHECKPOINTS
from tdw_resources.reading import read_instance

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)
FAILURES: list[Exception] = [
    ImportError("no module named pyarrow.lib"),
    MemoryError(),
    NotImplementedError("Support for codec 'zstd' not built"),
    AttributeError("module 'pandas' has no attribute 'DataFrame'"),
    ValueError("options of pandas"),
    OSError(errno.EIO, "Input/output error"),
    RecursionError("maximum recursion depth exceeded"),
]
REFUSALS = [
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.EMFILE, "Too many open files"),
    PermissionError(errno.EACCES, "Permission denied"),
    MemoryError(),
]


def files(store: Store) -> dict[str, bytes]:
    paths = (path for path in store.root.rglob("*") if path.is_file())
    return {str(path.relative_to(store.root)): path.read_bytes() for path in paths}


def repaired(store: Store) -> list[Checked]:
    """What verify finds wrong, after a repair."""
    wrong = [checked for checked in verify(store) if checked.finding]
    done = list(repair(store, [checked.finding for checked in wrong if checked.finding]))
    assert {one.done for one in done} <= {"left"}
    return wrong


@pytest.fixture
def store(tiny_store: Store) -> Store:
    summarize(tiny_store, FAMILY, CONFIG, "coarseness")
    provenance = tiny_store.provenance(Address(FAMILY.name, TINY, CHECKPOINTS, 0))
    tiny_store.write_document(FAMILY.name, TINY, "a_plot", files={"data.csv": b"a\n"}, provenance=provenance)
    return tiny_store


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_table_that_arrow_or_pandas_can_not_read_is_left_where_it_is(
    store: Store, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    before = files(store)
    monkeypatch.setattr(pyarrow.parquet, "ParquetFile", fail)
    wrong = repaired(store)
    assert {(c.kind, c.finding.problem) for c in wrong if c.finding} == {
        ("summaries/coarseness", "unreadable"),
        ("summaries/history", "unreadable"),
    }
    assert all(type(failure).__name__ in c.finding.detail for c in wrong if c.finding)
    assert files(store) == before
    with pytest.raises(Unreadable, match=r"coarseness\.parquet: its checksum fits") as error:
        store.read_table(TableAddress(FAMILY.name, TINY, "coarseness"))
    assert "delete" not in str(error.value)


def test_a_missing_library_is_no_damage(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(store)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    wrong = repaired(store)
    assert {c.finding.problem for c in wrong if c.finding} == {"unreadable"}
    assert files(store) == before


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_arrays_that_can_not_be_read_are_left_where_they_are(
    store: Store, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(_: codec.Arrays) -> None:
        raise failure

    before = files(store)
    monkeypatch.setattr(codec, "unpack", fail)
    wrong = repaired(store)
    assert {c.finding.problem for c in wrong if c.finding} == {"unreadable"}
    assert {c.kind for c in wrong} == {CHECKPOINTS, "states", *catalog_of(FAMILY).default_names}
    assert files(store) == before


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: str(refusal) or "MemoryError")
def test_no_file_that_the_system_refuses_to_read_is_moved(
    store: Store, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    def refuse(path: Path) -> bytes:
        raise refusal

    before = files(store)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", refuse)
        wrong = repaired(store)
    assert {c.finding.problem for c in wrong if c.finding} == {"unreadable"}
    kinds = {c.kind for c in wrong}
    assert {
        CHECKPOINTS,
        "states",
        "summaries/history",
        "plots/a_plot",
        *catalog_of(FAMILY).default_names,
    } <= kinds
    assert files(store) == before


@pytest.mark.parametrize("folder", [".", "coarseness", "summaries", "plots", "plots/a_plot"])
def test_a_folder_that_can_not_be_listed_is_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    refused = store.root / FAMILY.name / TINY / folder
    real = Path.iterdir

    def refuse(path: Path):
        if path == refused:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    before = files(store)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", refuse)
        wrong = repaired(store)
    assert [c.finding.problem for c in wrong if c.finding] == ["unreadable"]
    assert files(store) == before


def test_a_sealed_header_of_another_version_is_no_damage(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tdw.store.provenance import Provenance

    real: Callable[[Provenance], str] = Provenance.to_json
    monkeypatch.setattr(Provenance, "to_json", lambda self: real(self)[:-1] + ',"licence":"MIT"}')
    address = Address(FAMILY.name, TINY, "coarseness", 10)
    old = store.read(address)
    store.write(address, old.arrays, provenance=old.provenance)
    monkeypatch.undo()
    before = files(store)
    (wrong,) = repaired(store)
    assert wrong.finding and wrong.finding.problem == "unreadable" and "licence" in wrong.finding.detail
    assert files(store) == before


def test_training_goes_on_from_no_history_that_it_only_failed_to_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tdw.training.loop import train

    def fail(*_: object, **__: object) -> None:
        raise ImportError("no module named pyarrow.lib")

    before = files(store)
    with monkeypatch.context() as patched:
        patched.setattr(pyarrow.parquet, "ParquetFile", fail)
        with pytest.raises(Unreadable, match=r"history\.parquet"):
            list(train(CONFIG, store=store, checkpoints=[*TINY_EPOCHS, 5]))
    assert files(store) == before


@pytest.mark.parametrize("sound_times", [0, 1], ids=["when it is hashed", "when it is copied"])
def test_an_export_does_not_take_a_failing_disk_for_damage_or_for_its_own(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound_times: int
) -> None:
    target, refused = tmp_path / "out.tar", store.path(Address(FAMILY.name, TINY, "coarseness", 10))
    opened: list[Path] = []
    real = Path.open

    def refuse(path: Path, *arguments: Any, **named: Any) -> Any:
        if path == refused:
            opened.append(path)
            if len(opened) > sound_times:
                raise OSError(errno.EIO, "Input/output error")
        return real(path, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Unreadable, match=r"00010\.safetensors: can't be read \(OSError: .*Input/output"):
        export_bundle(store, FAMILY, [TINY], target)
    assert not target.exists()


@pytest.mark.parametrize("folder", [".", "coarseness", "summaries", "plots", "plots/a_plot"])
def test_a_folder_that_can_be_listed_but_not_entered_is_reported(
    store: Store, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    closed = store.root / FAMILY.name / TINY / folder
    real = Path.stat

    def refuse(path: Path, **named: Any) -> Any:
        if closed in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, **named)

    plot = Product("plots/a_plot", "plots", "variant", "summarize", (), (), "", "", "")
    before = files(store)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "stat", refuse)
        wrong = repaired(store)
        if folder in (".", "plots"):
            with pytest.raises(Unreadable, match="plots"):
                plot.exists(FAMILY.name, store, TINY)
    assert {c.finding.problem for c in wrong if c.finding} == {"unreadable"}
    assert files(store) == before


def test_a_home_that_may_not_be_entered_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def refuse(path: Path, **named: Any) -> Any:
        if tmp_path in path.parents:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, **named)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(Unreadable, match=str(tmp_path)):
        read_instance(tmp_path, lambda found: found.recorded)
