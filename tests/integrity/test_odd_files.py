"""What is no regular file, or has a name that nothing of ours gives, neither stops a reader nor is harmed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_variant import TINY

from tdw.errors import CorruptFile, NotFound, Unreadable
from tdw.exchange.archive import Archive
from tdw.exchange.bundle import export_bundle
from tdw.families import get_family
from tdw.integrity.repair import repair
from tdw.integrity.verify import verify
from tdw.store import Address, Store, TableAddress, lock
from tdw.store.layout import CHECKPOINTS
from tdw_workbench.cli import main
from tdw_workbench.commands import status

FAMILY = get_family("modulo_addition_1layer")


@pytest.fixture(autouse=True)
def no_reader_waits() -> Iterator[None]:
    """A FIFO without a writer would hold its reader for ever."""

    def stop(*_: object) -> None:
        raise AssertionError("a reader hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def put(path: Path, what: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if what == "fifo":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    elif what == "loop":
        path.symlink_to(path)
    else:
        path.mkdir()


@pytest.mark.parametrize("what", ["fifo", "device", "loop", "folder"])
def test_what_is_no_regular_file_is_said_to_be_unreadable(tiny_store: Store, what: str) -> None:
    artifact = Address(FAMILY.name, TINY, "coarseness", 10)
    table = TableAddress(FAMILY.name, TINY, "coarseness")
    manifest = tiny_store.document_folder(FAMILY.name, TINY, "mean_coarseness") / "manifest.json"
    for path in (tiny_store.path(artifact), tiny_store.path(table), manifest):
        put(path, what)
    reads = (
        lambda: tiny_store.read(artifact),
        lambda: tiny_store.provenance(artifact),
        lambda: tiny_store.read_rows(artifact, "coarseness", [0]),
        lambda: tiny_store.read_block(artifact, "coarseness", [0]),
        lambda: tiny_store.read_table(table),
        lambda: tiny_store.read_document(FAMILY.name, TINY, "mean_coarseness"),
    )
    for read in reads:
        with pytest.raises(Unreadable, match=r"manifest|coarseness"):
            read()
    findings = [checked.finding for checked in verify(tiny_store) if checked.finding]
    assert {finding.problem for finding in findings} <= {"unreadable", "not ours"}
    assert {one.done for one in repair(tiny_store, findings)} == {"left"}
    assert tiny_store.read(Address(FAMILY.name, TINY, CHECKPOINTS, 10)).arrays


@pytest.mark.parametrize("what", ["fifo", "device", "folder"])
def test_an_import_does_not_wait_for_it(tmp_path: Path, what: str) -> None:
    put(tmp_path / "bundle.tar", what)
    with pytest.raises((NotFound, CorruptFile, Unreadable), match=r"bundle\.tar"):
        Archive(tmp_path / "bundle.tar")


def test_an_export_does_not_wait_for_a_fifo(tiny_store: Store, tmp_path: Path) -> None:
    put(tiny_store.path(Address(FAMILY.name, TINY, "coarseness", 10)), "fifo")
    with pytest.raises(Unreadable, match="a FIFO, not a file"):
        export_bundle(tiny_store, FAMILY, [TINY], tmp_path / "out.tar")
    assert not (tmp_path / "out.tar").exists()


def test_whether_a_lock_is_held_is_found_out_of_a_fifo(tmp_path: Path) -> None:
    put(tmp_path / "train.lock", "fifo")
    assert not lock.is_held(tmp_path / "train.lock")


@pytest.mark.parametrize("pid", ["99999999999999999999999", "0", "2147483648", "٣"])
def test_names_like_ours_with_a_number_that_is_no_process(tiny_store: Store, pid: str) -> None:
    stray = tiny_store.root / f".x.{pid}.tmp"
    stray.write_bytes(b"mine")
    (tiny_store.root / f".folder.{pid}.tmp").mkdir()
    findings = [checked.finding for checked in verify(tiny_store) if checked.finding]
    list(repair(tiny_store, findings))
    assert (tiny_store.root / f".folder.{pid}.tmp").is_dir()


def test_a_name_that_can_not_be_printed_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="utf-8"))
    monkeypatch.setattr(status, "run", lambda _: print(os.fsdecode(b"caf\xe9.parquet")) or 0)
    assert main(["status"]) == 0
    sys.stdout.flush()
    assert raw.getvalue() == b"caf\\udce9.parquet\n"


def test_an_export_names_the_links_that_it_leaves_out(
    tiny_store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = tiny_store.path(Address(FAMILY.name, TINY, "coarseness", 10))
    artifact.rename(tmp_path / "elsewhere")
    artifact.symlink_to(tmp_path / "elsewhere")
    plots = tiny_store.root / FAMILY.name / TINY / "plots"
    plots.mkdir()
    (plots / "around").symlink_to(plots)
    done = export_bundle(tiny_store, FAMILY, [TINY], tmp_path / "out.tar")
    inside = f"{FAMILY.name}/{TINY}"
    assert done.left_out == (f"{inside}/coarseness/00010.safetensors", f"{inside}/plots/around")
    study = tmp_path / "study.yaml"
    study.write_text(f"variants: [{TINY}]\nepochs: 20\ncheckpoints: [0, 10, 20]\n")
    places = ["--study", str(study), "--store", str(tiny_store.root)]
    assert main(["export", str(tmp_path / "out.tar"), *places]) == 0
    assert f"left out: {done.left_out[0]} is a symbolic link" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["a pipe that nobody reads", "/dev/full"])
def test_output_that_can_not_be_written_ends_in_no_traceback(tmp_path: Path, where: str) -> None:
    if where == "/dev/full":
        writer = os.open(where, os.O_WRONLY)
    else:
        reader, writer = os.pipe()
        os.close(reader)
    command = [sys.executable, "-P", "-m", "tdw_workbench.cli", "status", "--store", str(tmp_path / "store")]
    ended = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    said = (
        "" if where != "/dev/full" else "tdw status: the output: can't be written (No space left on device)"
    )
    assert ended.returncode == 1 and ended.stderr.partition("\n")[0] == said
    assert ended.stderr.count("\n") == (2 if said else 0)
