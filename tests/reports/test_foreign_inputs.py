"""What import takes of other people's weights, and what it refuses: by name, before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from exchange_states import FAMILY, State, bridge, hooked, nanda
from safetensors.torch import save_file

from tdw.errors import BadConfig, CorruptFile, TdwError, Unreadable
from tdw.exchange.sources import Source, parse_sources
from tdw.exchange.state_dicts import import_checkpoints
from tdw.exchange.state_files import load_file
from tdw.store import Address, Artifact, Store, TableAddress

CONFIG = FAMILY.make_config(p=7, seed=5, train_fraction=0.5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def save(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def imported(store: Store, epoch: int) -> Artifact:
    return store.read(Address(FAMILY.name, CONFIG.key, "checkpoints", epoch))


def refused(store: Store, files: dict[int, Path | Source], error: type[TdwError] = BadConfig) -> str:
    """The words of the refusal; nothing is written."""
    with pytest.raises(error) as refusal:
        import_checkpoints(store, FAMILY, CONFIG, files)
    assert store.variants(FAMILY.name) == []
    words = str(refusal.value)
    assert "weights_only" not in words and "->" in words
    return words


@pytest.mark.parametrize("scale", [1e12, 1e30])
def test_finite_weights_whose_loss_is_not_are_refused_and_so_is_all_that_came_with_them(
    store: Store, tmp_path: Path, scale: float
) -> None:
    good = save(tmp_path / "good.pt", hooked(1))
    huge = {
        name: tensor * scale if tensor.is_floating_point() else tensor for name, tensor in hooked(2).items()
    }
    huge["blocks.0.attn.IGNORE"] = torch.tensor(-1e5)
    words = refused(store, {0: good, 100: save(tmp_path / "huge.pt", huge)})
    assert "huge.pt" in words and "their loss is" in words


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float64])
def test_another_float_is_converted_and_recorded_as_such(
    store: Store, tmp_path: Path, dtype: torch.dtype
) -> None:
    given = {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in hooked().items()
    }
    import_checkpoints(store, FAMILY, CONFIG, {0: save(tmp_path / "a.pt", given)})
    found = imported(store, 0)
    assert found.provenance.environment["converted"] == f"{str(dtype).removeprefix('torch.')} to float32"
    np.testing.assert_array_equal(found.arrays["embed.W_E"], given["embed.W_E"].float().numpy())
    import_checkpoints(store, FAMILY, CONFIG, {1: save(tmp_path / "b.pt", hooked(3))})
    assert "converted" not in imported(store, 1).provenance.environment


UNFIT: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], str]] = {
    "int8": (lambda t: t.to(torch.int8), "int8"),
    "int64": (lambda t: t.to(torch.int64), "int64"),
    "uint8": (lambda t: t.to(torch.uint8), "uint8"),
    "bool": (lambda t: t.bool(), "bool"),
    "complex64": (lambda t: t.to(torch.complex64), "complex64"),
    "sparse": (lambda t: t.to_sparse(), "sparse"),
    "sparse_csr": (lambda t: t.to_sparse_csr(), "sparse"),
    "quantized": (lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "quantized"),
    "nested": (lambda t: torch.nested.nested_tensor(list(t)), "nested"),
    "meta": (lambda t: t.to("meta"), "meta tensor"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", UNFIT)
def test_a_tensor_that_is_no_weights_is_refused_by_name(store: Store, tmp_path: Path, kind: str) -> None:
    change, word = UNFIT[kind]
    state = hooked()
    state["blocks.0.mlp.W_in"] = change(state["blocks.0.mlp.W_in"])
    words = refused(store, {0: save(tmp_path / "odd.pt", state)})
    assert "odd.pt" in words and "blocks.0.mlp.W_in: " in words and word in words
    assert "embed.W_E" not in words


@pytest.mark.parametrize("epoch", [-1, True, 10_000_001, 123_456_789, 10**22, 1.5, "5"])
def test_an_epoch_that_no_study_can_list_is_refused(store: Store, tmp_path: Path, epoch: int) -> None:
    words = refused(store, {epoch: save(tmp_path / "a.pt", hooked())})
    assert str(epoch) in words and "10,000,000" in words


@pytest.mark.parametrize(
    "text", ["123456789", "1" * 23, "²", "٣", "-1", "1.5", "1e3", "", " ", "0x10", "20000000"]
)
def test_an_epoch_that_can_not_be_read_is_refused_clearly(text: str) -> None:
    with pytest.raises(BadConfig) as refusal:
        parse_sources([f"{text}=a.pt"])
    assert "epoch" in str(refusal.value).lower()


def test_an_epoch_given_twice_is_refused_and_both_files_are_named() -> None:
    for second in ("100=b.pt", "0100=b.pt", " 100=b.pt"):
        with pytest.raises(BadConfig, match=r"epoch 100 is given twice: a\.pt and b\.pt"):
            parse_sources(["100=a.pt", second])
    with pytest.raises(BadConfig, match="epoch 100 is given twice"):
        parse_sources(["100=a.pt", "0:200:100=b.pt"], entries=["", "x.*"])


def test_entries_and_ranges_are_read_in_order() -> None:
    found = parse_sources(
        ["5=a.pt", "0:200:100=run.pth"], entries=["model", "state_dicts.*"], strip_prefixes=["module."]
    )
    assert found[5] == Source(Path("a.pt"), "model", ("module.",))
    assert [found[epoch].entry for epoch in (0, 100, 200)] == [f"state_dicts.{i}" for i in range(3)]
    for checkpoints, entries in (
        (["0:9=a"], []),
        (["5=a"], ["x.*"]),
        (["5=a", "6=a"], ["x"]),
        (["0:9=a"], ["*.*"]),
    ):
        with pytest.raises(BadConfig, match="entry"):
            parse_sources(checkpoints, entries=entries)


def test_one_entry_and_several_epochs_of_one_file(store: Store, tmp_path: Path) -> None:
    run = save(tmp_path / "run.pth", {"state_dicts": [hooked(i) for i in range(3)], "model.best": hooked(9)})
    files = parse_sources([f"0:200:100={run}", f"300={run}"], entries=["state_dicts.*", "model.best"])
    import_checkpoints(store, FAMILY, CONFIG, files)
    for epoch, seed in ((0, 0), (100, 1), (200, 2), (300, 9)):
        found = imported(store, epoch)
        np.testing.assert_array_equal(found.arrays["embed.W_E"], hooked(seed)["embed.W_E"].numpy())
    assert imported(store, 200).provenance.environment["entry"] == "state_dicts.2"
    history = store.read_table(TableAddress(FAMILY.name, CONFIG.key, "history"))
    assert history["epoch"].tolist() == [0, 100, 200, 300] and history.notna().all(axis=None)


def test_an_entry_that_is_not_there_is_refused_with_those_that_are(store: Store, tmp_path: Path) -> None:
    run = save(tmp_path / "run.pth", {"state_dicts": [hooked()], "config": {"p": 7}})
    assert "state_dicts, config" in refused(store, {0: Source(run, "models.0")})
    assert "0 to 0" in refused(store, {0: Source(run, "state_dicts.12")})
    assert "in state_dicts.0" in refused(store, {0: Source(run, "state_dicts.0.best")})
    assert "state_dicts, config" in refused(store, {0: run}, CorruptFile)
    assert "holds int" in refused(store, {0: Source(run, "config.p")}, CorruptFile)


@pytest.mark.parametrize("prefix", ["_orig_mod.", "module.", "module._orig_mod."])
def test_a_prefix_is_taken_off_when_told_and_named_when_not(
    store: Store, tmp_path: Path, prefix: str
) -> None:
    file = tmp_path / "compiled.safetensors"
    save_file({prefix + name: tensor for name, tensor in hooked().items()}, file)
    words = refused(store, {0: file})
    assert f"--strip-prefix {prefix.split('.')[0]}." in words
    assert "no tensor's name begins with net." in refused(store, {0: Source(file, strip_prefixes=("net.",))})
    prefixes = tuple(f"{part}." for part in prefix.split(".") if part)
    import_checkpoints(store, FAMILY, CONFIG, {0: Source(file, strip_prefixes=prefixes)})
    assert imported(store, 0).provenance.environment["stripped"] == " ".join(prefixes)


def test_two_tensors_that_would_have_one_name_are_refused(store: Store, tmp_path: Path) -> None:
    state = {**hooked(), "module.embed.W_E": hooked(1)["embed.W_E"]}
    words = refused(store, {0: Source(save(tmp_path / "a.pt", state), strip_prefixes=("module.",))})
    assert "two tensors are called embed.W_E" in words


@pytest.mark.parametrize("suffix", [".safetensors", ".SAFETENSORS", ".SafeTensors", ".bin", ""])
def test_safetensors_are_told_by_their_content(store: Store, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    save_file(hooked(), file)
    import_checkpoints(store, FAMILY, CONFIG, {0: file})
    assert imported(store, 0).provenance.environment["file"] == file.name


def test_a_torch_archive_is_read_whatever_it_is_called(store: Store, tmp_path: Path) -> None:
    import_checkpoints(store, FAMILY, CONFIG, {0: save(tmp_path / "a.safetensors", hooked())})
    assert store.epochs(FAMILY.name, CONFIG.key) == [0]


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--00\n", "git annex get"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (b"<html>", "web page"),
    ],
)
def test_what_stands_for_a_file_is_told_as_that(
    store: Store, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in refused(store, {0: tmp_path / name}, CorruptFile)


def test_nobody_is_advised_to_load_with_the_safety_off(store: Store, tmp_path: Path) -> None:
    file = save(tmp_path / "a.pt", {"embed.W_E": np.float64(3), "config": CONFIG})
    assert "holds " in refused(store, {0: file}, CorruptFile)


@pytest.mark.parametrize("failure", [MemoryError(), ImportError("no module"), OSError(5, "I/O error")])
def test_a_reader_that_fails_is_no_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(torch, "load", fail)
    with pytest.raises(Unreadable, match=r"a\.pt"):
        load_file(save(tmp_path / "a.pt", hooked()))


def same_weights(store: Store, epoch: int, seed: int) -> bool:
    found = imported(store, epoch).arrays
    ours: State = FAMILY.init_weights(FAMILY.make_config(p=7, seed=seed))
    return all(np.array_equal(found[name], ours[name].numpy()) for name in ours)


def test_the_layout_of_transformer_lens_4_is_converted(store: Store, tmp_path: Path) -> None:
    import_checkpoints(store, FAMILY, CONFIG, {0: save(tmp_path / "a.pt", bridge(3))})
    assert same_weights(store, 0, 3)
    assert imported(store, 0).provenance.environment["imported"] == "TransformerBridge"


def test_the_layout_of_nanda_et_al_is_converted(store: Store, tmp_path: Path) -> None:
    state = nanda(3)
    import_checkpoints(store, FAMILY, CONFIG, {0: save(tmp_path / "a.pt", state)})
    assert same_weights(store, 0, 3)
    layout = imported(store, 0).provenance.environment["imported"]
    assert layout == "Nanda et al. 2023, without the output of ="
    state["unembed.W_U"] = state["unembed.W_U"][:, :7]
    import_checkpoints(store, FAMILY, CONFIG, {1: save(tmp_path / "b.pt", state)})
    assert imported(store, 1).provenance.environment["imported"] == "Nanda et al. 2023"


def test_an_output_that_counts_is_not_dropped(store: Store, tmp_path: Path) -> None:
    words = refused(store, {0: save(tmp_path / "a.pt", nanda(3, last_output=0.0))})
    assert "8 outputs" in words and "of the probability" in words


def test_biases_that_are_not_zero_are_refused_in_every_layout(store: Store, tmp_path: Path) -> None:
    for number, (state, name) in enumerate(
        [(nanda(), "blocks.0.mlp.b_in"), (bridge(), "blocks.0.mlp.in.bias"), (hooked(), "unembed.b_U")]
    ):
        state[name] = state[name] + 0.5
        words = refused(store, {0: save(tmp_path / f"{number}.pt", state)})
        assert "not zero" in words


def test_what_fits_no_layout_is_refused_with_names_and_shapes(store: Store, tmp_path: Path) -> None:
    for number, make in enumerate((nanda, bridge, hooked)):
        state = make()
        state["blocks.1.norm.w"] = torch.ones(3)
        first = next(iter(state))
        state[first] = torch.ones(2, 2)
        words = refused(store, {0: save(tmp_path / f"{number}.pt", state)})
        assert "blocks.1.norm.w: unknown" in words and "shape (2, 2)" in words


@pytest.mark.parametrize("what", ["a FIFO", "a folder", "a device", "File name too long"])
def test_what_is_no_file_of_weights_is_said_to_be_that(store: Store, tmp_path: Path, what: str) -> None:
    path = tmp_path / ("a" * 300 if what.startswith("File") else "odd")
    if what == "a FIFO":
        os.mkfifo(path)
    elif what == "a folder":
        path.mkdir()
    elif what == "a device":
        path.symlink_to("/dev/zero")
    words = refused(store, {0: path}, Unreadable)
    assert str(path) in words and what in words


@pytest.mark.parametrize("name", ["a\nb\x1b[31m", "a" * 100_000])
def test_a_name_for_the_terminal_to_choke_on_is_not_repeated(store: Store, tmp_path: Path, name: str) -> None:
    words = refused(store, {0: save(tmp_path / "a.pt", {**hooked(), name: torch.zeros(2)})})
    assert "can't be printed" in words and "\x1b" not in words and len(words) < 1000


def test_of_many_problems_the_first_are_named(store: Store, tmp_path: Path) -> None:
    state = {f"t{i}": torch.zeros(1) for i in range(5000)}
    words = refused(store, {0: save(tmp_path / "a.pt", state)})
    assert "t0: unknown" in words and "and 4," in words and len(words) < 2000
