"""Checkpoints trained elsewhere (R3): taken over with the same checks, or not at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound
from tdw.exchange.state_dicts import import_checkpoints
from tdw.families import get_family
from tdw.store import Address, Store, TableAddress

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.make_config(p=7, seed=5, train_fraction=0.5)


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    """As a HookedTransformer of TransformerLens 2 saves it: with the attention's buffers."""
    weights = FAMILY.init_weights(FAMILY.make_config(p=7, seed=seed))
    buffers = {
        "blocks.0.attn.mask": torch.ones(3, 3, dtype=torch.bool),
        "blocks.0.attn.IGNORE": torch.tensor(-1e5),
    }
    return {**weights, **buffers}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_safetensors_and_state_dicts_become_checkpoints_with_losses(store: Store, tmp_path: Path) -> None:
    save_file(state(1), tmp_path / "a.safetensors")
    torch.save(state(2), tmp_path / "b.pth")
    done = import_checkpoints(store, FAMILY, CONFIG, {500: tmp_path / "b.pth", 0: tmp_path / "a.safetensors"})
    assert [checkpoint.epoch for checkpoint in done] == [0, 500]
    found = store.read(Address(FAMILY.name, CONFIG.key, "checkpoints", 500))
    np.testing.assert_array_equal(found.arrays["embed.W_E"], state(2)["embed.W_E"].numpy())
    assert found.provenance.variant_fingerprint == CONFIG.fingerprint
    assert found.provenance.environment["file"] == "b.pth"
    history = store.read_table(TableAddress(FAMILY.name, CONFIG.key, "history")).set_index("epoch")
    assert history.index.tolist() == [0, 500]
    assert history.loc[500, "test_loss"] == done[1].metrics["test_loss"]
    assert done[0].train_loss == pytest.approx(np.log(7), abs=0.5)


def test_the_imported_variant_can_be_analyzed(store: Store, tmp_path: Path) -> None:
    from tdw.making.artifacts import analyze

    save_file(state(), tmp_path / "a.safetensors")
    import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "a.safetensors"})
    results = list(
        analyze(store, FAMILY, CONFIG, {"coarseness": [0], "progress_measures": [0]}, device="cpu")
    )
    assert [result.error for result in results] == [None, None]


def test_weights_that_do_not_fit_are_refused_with_every_name_and_nothing_is_written(
    store: Store, tmp_path: Path
) -> None:
    wrong = state()
    wrong["embed.W_E"] = torch.zeros(9, 128)
    del wrong["unembed.W_U"]
    wrong["blocks.1.mlp.W_in"] = torch.zeros(2)
    save_file(wrong, tmp_path / "wrong.safetensors")
    save_file(state(), tmp_path / "good.safetensors")
    with pytest.raises(BadConfig) as refusal:
        files = {0: tmp_path / "good.safetensors", 10: tmp_path / "wrong.safetensors"}
        import_checkpoints(store, FAMILY, CONFIG, files)
    for name in ("wrong.safetensors", "embed.W_E", "unembed.W_U", "blocks.1.mlp.W_in"):
        assert name in str(refusal.value)
    assert store.variants(FAMILY.name) == []


def test_weights_that_are_not_finite_are_refused(store: Store, tmp_path: Path) -> None:
    bad = state()
    bad["embed.W_E"][0, 0] = float("nan")
    save_file(bad, tmp_path / "bad.safetensors")
    with pytest.raises(BadConfig, match=r"embed\.W_E hold NaN"):
        import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "bad.safetensors"})


def test_no_code_of_a_state_dict_is_run(store: Store, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps({"embed.W_E": Payload()}, protocol=2))
    torch.save({"embed.W_E": Payload()}, tmp_path / "evil2.pth")
    for name in ("evil.pth", "evil2.pth"):
        with pytest.raises(CorruptFile, match=name):
            import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / name})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02.", pickle.dumps([1, 2], protocol=2)])
@pytest.mark.parametrize("name", ["x.pth", "x.safetensors"])
def test_a_file_that_is_no_weights_is_refused_by_name(
    store: Store, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptFile, match=name):
        import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / name})


def test_a_missing_file_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone"):
        import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "gone.pth"})


def test_another_checkpoint_of_an_epoch_is_refused_and_the_same_one_is_not(
    store: Store, tmp_path: Path
) -> None:
    save_file(state(1), tmp_path / "a.safetensors")
    save_file(state(2), tmp_path / "b.safetensors")
    import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "a.safetensors"})
    import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "a.safetensors"})
    with pytest.raises(FingerprintMismatch, match="another store"):
        import_checkpoints(store, FAMILY, CONFIG, {0: tmp_path / "b.safetensors"})
