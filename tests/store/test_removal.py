"""Files that go for good: removals of two variants at once, and what a killed one has left."""

from pathlib import Path

import pytest

from tdw.execution.removal import Removal, plan_removal, remove_files
from tdw.integrity.verify import summed_size, verify
from tdw.store import Store

FAMILY = "modulo_addition_1layer"
ONE, OTHER = "p7_s1_d598", "p7_s2_d598"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    for variant in (ONE, OTHER):
        (tmp_path / FAMILY / variant / "states").mkdir(parents=True)
        (tmp_path / FAMILY / variant / "states" / "note").write_text("some bytes")
    return Store(tmp_path)


def planned(store: Store, variant: str) -> Removal:
    return plan_removal(store, FAMILY, variant, kinds=(), kept={})


def test_a_removal_is_not_disturbed_by_another_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = planned(store, ONE), planned(store, OTHER)
    rename = Path.rename

    def rename_after_the_other(path: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        remove_files(store, other)
        return path.rename(target)

    monkeypatch.setattr(Path, "rename", rename_after_the_other)
    remove_files(store, one)
    assert list((store.root / FAMILY).iterdir()) == []
    assert [path.name for path in store.root.iterdir()] == [FAMILY]


def test_what_a_killed_removal_has_left_is_no_stranger_and_goes_with_the_next(store: Store) -> None:
    size = summed_size(store)
    for name in (".removed", ".removed.12ab"):  # earlier versions had one folder for all
        (store.root / name / "states").mkdir(parents=True)
        (store.root / name / "states" / "note").write_text("left")
    assert summed_size(store) == size
    assert not [checked.path for checked in verify(store) if ".removed" in checked.path]
    remove_files(store, planned(store, ONE))
    assert [path.name for path in store.root.iterdir()] == [FAMILY]
