"""`tdw.integrity.verify` names every damaged, misplaced, unknown or left-over file, and only those."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tiny_variant import TINY

from tdw.families import get_family
from tdw.integrity.file_problems import FileProblem
from tdw.integrity.verify import verify
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store
from tdw.store.layout import CHECKPOINTS

FAMILY = "modulo_addition_1layer"


def findings(store: Store) -> list[FileProblem]:
    return [checked.finding for checked in verify(store) if checked.finding]


def test_a_sound_store_has_nothing_to_report_and_every_file_is_read(tiny_store: Store) -> None:
    checked = list(verify(tiny_store))
    files = [p for p in tiny_store.root.rglob("*") if p.is_file() and p.suffix != ".lock"]
    assert {c.path for c in checked} == {str(p) for p in files}
    assert [c.finding for c in checked if c.finding] == []


@pytest.mark.parametrize("kind", [CHECKPOINTS, "states", "coarseness", "neuron_activations"])
def test_a_flipped_byte_is_found_and_the_cell_named(tiny_store: Store, kind: str) -> None:
    path = tiny_store.path(Address(FAMILY, TINY, kind, 10))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    (found,) = findings(tiny_store)
    assert (found.problem, found.kind, found.epoch, found.path) == ("corrupt", kind, 10, str(path))


def test_a_file_in_another_ones_place_is_a_mismatch(tiny_store: Store) -> None:
    shutil.copy(
        tiny_store.path(Address(FAMILY, TINY, "coarseness", 10)),
        tiny_store.path(Address(FAMILY, TINY, "coarseness", 20)),
    )
    (found,) = findings(tiny_store)
    assert found.problem == "mismatch" and "epoch is 10, not 20" in found.detail


def test_an_artifact_of_a_replaced_checkpoint_is_a_mismatch(tiny_store: Store) -> None:
    from dataclasses import replace

    from tdw.store.fingerprints import fingerprint_arrays

    address = Address(FAMILY, TINY, CHECKPOINTS, 20)
    old = tiny_store.read(address)
    arrays = {name: array + np.float32(1) for name, array in old.arrays.items()}
    provenance = replace(old.provenance, checkpoint_fingerprint=fingerprint_arrays(arrays))
    tiny_store.write(address, arrays, provenance=provenance)
    found = findings(tiny_store)
    assert {f.problem for f in found} == {"mismatch"}
    assert {f.kind for f in found} == set(catalog_of(get_family("modulo_addition_1layer")).default_names)
    assert all("made from checkpoint" in f.detail for f in found)


def test_values_that_are_not_finite_are_counted(tiny_store: Store) -> None:
    address = Address(FAMILY, TINY, "coarseness", 20)
    old = tiny_store.read(address)
    old.arrays["neuron_gradient"][:3] = np.nan
    tiny_store.write(address, old.arrays, provenance=old.provenance)
    (found,) = findings(tiny_store)
    assert found.problem == "not finite" and "neuron_gradient holds 3 values" in found.detail


def test_left_over_and_unknown_files_are_named(tiny_store: Store) -> None:
    folder = tiny_store.root / FAMILY / TINY / "coarseness"
    (folder / ".00030.safetensors.999999999.tmp").write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    (tiny_store.root / "other").mkdir()
    assert sorted(f.problem for f in findings(tiny_store)) == ["not ours", "not ours", "temporary"]


def rewrite(store: Store, address: Address, **arrays: np.ndarray | None) -> None:
    """Commit a file again with some arrays changed or (None) left out; sealed, with fitting fingerprints."""
    from dataclasses import replace

    from tdw.store.fingerprints import fingerprint_arrays

    old = store.read(address)
    new = {name: array for name, array in {**old.arrays, **arrays}.items() if array is not None}
    provenance = old.provenance
    if address.kind == CHECKPOINTS:
        provenance = replace(provenance, checkpoint_fingerprint=fingerprint_arrays(new))
    store.write(address, new, provenance=provenance)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (CHECKPOINTS, "embed.W_E"),
        ("states", "embed.W_E"),
        ("states", "exp_avg/embed.W_E"),
        ("attention_patterns", "attention_patterns"),
        ("coarseness", "neuron_gradient"),
    ],
)
@pytest.mark.parametrize("change", ["dtype", "shape", "missing", "unknown"])
def test_another_dtype_or_shape_is_an_error_that_names_the_array(
    tiny_store: Store, kind: str, name: str, change: str
) -> None:
    address = Address(FAMILY, TINY, kind, 20)
    old = tiny_store.read(address).arrays[name]
    changed: dict[str, dict[str, np.ndarray | None]] = {
        "dtype": {name: old.astype(np.float64)},
        "shape": {name: old[:-1].copy()},
        "missing": {name: None},
        "unknown": {"another": old},
    }
    rewrite(tiny_store, address, **changed[change])
    found = next(finding for finding in findings(tiny_store) if finding.kind == kind)
    assert found.problem == "mismatch" and found.epoch == 20
    assert ("another" if change == "unknown" else name) in found.detail
    assert change != "dtype" or "float64" in found.detail


def test_a_checkpoint_of_another_dtype_is_not_analyzed_and_none_is_committed(tiny_store: Store) -> None:
    from tdw.errors import BadConfig
    from tdw.making.artifacts import analyze
    from tdw.training.records import Records

    address = Address(FAMILY, TINY, CHECKPOINTS, 20)
    weights = tiny_store.read(address).arrays
    wide = {**weights, "embed.W_E": weights["embed.W_E"].astype(np.float64)}
    config = get_family("modulo_addition_1layer").parse_variant(TINY)
    with pytest.raises(BadConfig, match=r"embed\.W_E is float64"):
        Records(tiny_store, get_family("modulo_addition_1layer"), config).commit_checkpoint(
            20, wide, environment={}
        )
    rewrite(tiny_store, address, **wide)
    (result,) = analyze(
        tiny_store, get_family("modulo_addition_1layer"), config, {"coarseness": [20]}, device="cpu"
    )
    assert "embed.W_E is float64" in str(result.error)
