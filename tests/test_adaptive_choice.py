"""Extra epochs are chosen once from what the first pass evaluated, and stay until they must not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tdw.errors import CorruptFile
from tdw.integrity.verify import verify
from tdw.store import Address, Provenance, RecordAddress, Store, TableAddress
from tdw.study import Study, parse_study
from tdw.study.extra_epochs import basis, choose, find_trained, read_choice

FAMILY = "modulo_addition_1layer"
V1, V2 = "p7_s1_d598", "p7_s2_d598"
RECORD = RecordAddress(FAMILY, "s")


def study(**changes: object) -> Study:
    values: dict[str, object] = {
        "name": "s",
        "variants": [V1, V2],
        "epochs": 1000,
        "checkpoints": ["0:1000:250"],
        "training": {"test_every": 10},
        "adaptive": {"extra_checkpoints": 8},
    }
    return parse_study({**values, **changes})


def history(falls_at: int, *, last: int = 1000, more: tuple[int, ...] = ()) -> pd.DataFrame:
    """Test loss falls from 10 to 1e-3 around an epoch; evaluated every 10 epochs, and at `more`."""
    epochs = np.arange(last + 1)
    loss = 10 ** (1 - 4 / (1 + np.exp(-(epochs - falls_at) / 20)))
    loss[~((epochs % 10 == 0) | np.isin(epochs, more))] = np.nan
    return pd.DataFrame({"epoch": epochs, "train_loss": 0.1, "test_loss": loss, "test_accuracy": 0.5})


def put(store: Store, variant: str, table: pd.DataFrame, *, checkpoint: int | None = 1000) -> None:
    store.write_table(
        TableAddress(FAMILY, variant, "history"), table, provenance=Provenance(FAMILY, variant, "history")
    )
    if checkpoint is not None:
        address = Address(FAMILY, variant, "checkpoints", checkpoint)
        store.write(
            address, {"w": np.zeros(1)}, provenance=Provenance(FAMILY, variant, "checkpoint", checkpoint)
        )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path)
    put(found, V1, history(300))
    put(found, V2, history(700))
    return found


def test_a_choice_covers_the_falls_of_all_variants_and_is_read_back(store: Store) -> None:
    made = choose(store, study(), [V2, V1])
    assert made is not None and made == read_choice(store, study())
    assert made.variants == (V1, V2) and made.basis == basis(study(), [V1, V2])
    assert len(made.epochs) == 8 and not set(made.epochs) & set(study().epoch_list)
    assert sum(abs(epoch - 300) < 100 for epoch in made.epochs) >= 3
    assert sum(abs(epoch - 700) < 100 for epoch in made.epochs) >= 3


def test_a_record_says_what_the_choice_was_made_from(store: Store) -> None:
    choose(store, study(), [V1, V2])
    values, provenance = store.read_record(RECORD)
    assert list(values) == ["epochs"] and provenance.name == "adaptive"
    assert provenance.parameters["basis"]["extra_checkpoints"] == 8
    assert provenance.parameters["study"] == "s" and provenance.parameters["min_gap"] == 10
    assert {name: len(mark) for name, mark in provenance.inputs.items()} == {
        f"{V1}/history": 64,
        f"{V2}/history": 64,
    }


def test_a_replay_that_evaluates_more_epochs_or_trains_on_moves_nothing(store: Store) -> None:
    first = choose(store, study(), [V1, V2])
    committed = store.path(RECORD).read_bytes()
    put(store, V1, history(300, last=1500, more=tuple(range(281, 320, 2))))
    assert choose(store, study(), [V2, V1]) == first
    assert store.path(RECORD).read_bytes() == committed


def test_a_choice_waits_for_histories_that_reach_the_end(store: Store) -> None:
    put(store, V2, history(700, last=990))
    assert choose(store, study(), [V1, V2]) is None
    assert read_choice(store, study()) is None
    assert choose(store, study(), [V1]) is not None


def test_trained_is_who_has_the_last_checkpoint_and_a_history(store: Store) -> None:
    put(store, "p7_s3_d598", history(1), checkpoint=750)
    store.delete(TableAddress(FAMILY, V1, "history"))
    assert find_trained(store, study(), [V2, "p7_s3_d598", V1, "p7_s4_d598"]) == [V2]


@pytest.mark.parametrize(
    "changes", [{"adaptive": {"extra_checkpoints": 9}}, {"epochs": 1200, "checkpoints": ["0:1200:200"]}]
)
def test_another_rule_or_length_is_another_basis_and_the_old_choice_stays_in_force(
    store: Store, changes: dict[str, object]
) -> None:
    made = choose(store, study(), [V1, V2])
    assert made is not None
    found = read_choice(store, study(**changes))
    assert found == made and found.basis != basis(study(**changes), [V1, V2])


def test_other_things_of_the_study_are_no_reason_to_choose_again(store: Store) -> None:
    made = choose(store, study(), [V1, V2])
    denser = study(checkpoints=["0:1000:50"], early_epoch=500, grokking={"threshold": 0.1})
    assert made is not None and made.basis == basis(denser, [V2, V1])


def test_epochs_that_training_does_not_reach_any_more_are_not_wanted(store: Store) -> None:
    made = choose(store, study(), [V1, V2])
    assert made is not None and max(made.epochs) > 500
    shorter = read_choice(store, study(epochs=500, checkpoints=["0:500:250"]))
    assert shorter is not None and shorter.epochs == tuple(e for e in made.epochs if e <= 500)


def test_a_flat_test_loss_deserves_no_extra_epoch_and_that_is_a_choice_too(store: Store) -> None:
    for variant in (V1, V2):
        put(store, variant, history(5000))
    made = choose(store, study(), [V1, V2])
    assert made is not None and made.epochs == () and read_choice(store, study()) == made


def test_a_study_without_a_rule_has_no_choice_although_a_record_is_there(store: Store) -> None:
    choose(store, study(), [V1, V2])
    assert read_choice(store, study(adaptive=None)) is None


def test_every_flipped_byte_of_a_record_is_found_and_it_counts_as_none(store: Store) -> None:
    choose(store, study(), [V1, V2])
    path = store.path(RECORD)
    sound = path.read_bytes()
    assert not [c for c in verify(store) if c.finding and c.path == str(path)]
    assert [c.content for c in verify(store) if c.path == str(path)]
    for at in range(0, len(sound), 7):
        damaged = bytearray(sound)
        damaged[at] ^= 1
        path.write_bytes(damaged)
        assert read_choice(store, study()) is None
        with pytest.raises(CorruptFile, match=r"s\.json"):
            store.read_record(RECORD)
    found = [c.finding for c in verify(store) if c.path == str(path)]
    assert [f.problem for f in found if f] == ["corrupt"]


def test_a_record_in_another_studys_place_is_a_mismatch(store: Store) -> None:
    choose(store, study(), [V1, V2])
    other = store.path(RecordAddress(FAMILY, "t"))
    other.write_bytes(store.path(RECORD).read_bytes())
    found = [c.finding for c in verify(store) if c.path == str(other)]
    assert [(f.problem, f.detail) for f in found if f] == [("mismatch", f"it is of study s of {FAMILY}")]


def test_a_damaged_history_is_named(store: Store) -> None:
    path = store.path(TableAddress(FAMILY, V2, "history"))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CorruptFile, match=V2):
        choose(store, study(), [V1, V2])
