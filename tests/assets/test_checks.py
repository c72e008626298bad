"""What the checks see of a store that was tampered with."""

from pathlib import Path

import dagster as dg
import pytest
from lab import V1, Lab

from tdw.store import Address
from tdw_assets.checks.asset_checks import COVERED, PRESENT, SOUND, check_cells

ALL = (0, 2, 4, 6)


@pytest.fixture
def filled(lab: Lab) -> Lab:
    slim = lab.with_study(analyzers=["coarseness"], variants=[V1])
    slim.instance.delete_dynamic_partition("tiny_variants", "p7_s2_d598")
    assert slim.fill("train", V1, {"checkpoint": ALL}).success
    assert slim.fill("analyze", V1, {"coarseness": ALL}).success
    return slim


def failed(lab: Lab) -> dict[tuple[str, str], str]:
    """(asset, check) -> details, of the checks that did not pass."""
    keys = {
        dg.AssetCheckKey(lab.wanted.key(asset), name)
        for asset in ("checkpoint", "coarseness")
        for name in (PRESENT, COVERED, SOUND)
    }
    results = list(check_cells(lab.wanted, lab.instance, lab.store, keys))
    assert {dg.AssetCheckKey(result.asset_key, result.check_name) for result in results} == keys
    return {
        (result.asset_key.path[-1], result.check_name): str(result.metadata["details"].value)
        for result in results
        if result.asset_key and result.check_name and not result.passed
    }


def path(lab: Lab, kind: str, epoch: int) -> Path:
    return lab.store.path(Address(lab.wanted.family.name, V1, kind, epoch))


def test_a_filled_study_passes_and_a_second_look_reads_no_file(
    filled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert failed(filled) == {}
    monkeypatch.setattr("tdw.integrity.rereading.verify_artifact", None)
    assert failed(filled) == {}


def test_a_deleted_file_turns_its_checks_red_and_a_fill_green_again(filled: Lab) -> None:
    path(filled, "coarseness", 4).unlink()
    found = failed(filled)
    assert set(found) == {("coarseness", PRESENT), ("coarseness", COVERED)}
    assert "epoch 4" in found["coarseness", PRESENT]
    assert filled.fill("analyze", V1, {"coarseness": (4,)}).success
    assert failed(filled) == {}


def test_a_damaged_file_is_named(filled: Lab) -> None:
    assert failed(filled) == {}
    target = path(filled, "checkpoints", 2)
    data = bytearray(target.read_bytes())
    data[-5] ^= 1
    target.write_bytes(data)
    found = failed(filled)
    assert set(found) == {("checkpoint", SOUND)} and str(target) in found["checkpoint", SOUND]


def test_a_sound_file_that_is_not_what_was_recorded_is_named(filled: Lab) -> None:
    path(filled, "checkpoints", 2).write_bytes(path(filled, "checkpoints", 2).read_bytes())
    filled.record_checkpoint_as_changed(V1, 2)
    found = failed(filled)
    assert "0123456789ab is recorded" in found["checkpoint", SOUND]


def test_checks_run_with_what_a_person_materializes(filled: Lab) -> None:
    defs = filled.defs
    job = dg.define_asset_job(
        "checks", selection=dg.AssetSelection.checks_for_assets(filled.wanted.checkpoint)
    )
    everything = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=defs.resources, jobs=[job]
    )
    result = everything.resolve_job_def("checks").execute_in_process(instance=filled.instance)
    evaluations = {found.check_name: found.passed for found in result.get_asset_check_evaluations()}
    assert evaluations == {PRESENT: True, COVERED: True, SOUND: True}


def test_a_file_that_the_system_refuses_to_read_is_not_computed_again(
    filled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = path(filled, "coarseness", 4)
    before, real = (refused.read_bytes(), refused.stat().st_mtime_ns), Path.read_bytes

    def refuse(of: Path) -> bytes:
        if of == refused:
            raise OSError(5, "Input/output error")
        return real(of)

    with dg.DagsterInstance.ephemeral() as nothing_recorded:
        nothing_recorded.add_dynamic_partitions("tiny_variants", [V1])
        other = Lab(filled.wanted, nothing_recorded, filled.store)
        assert other.fill("train", V1, {"checkpoint": ALL}).success
        with monkeypatch.context() as patched:
            patched.setattr(Path, "read_bytes", refuse)
            result = other.fill("analyze", V1, {"coarseness": ALL})
        assert not result.success
        assert len(other.done("coarseness")) == 3, "the others are taken over"
    assert (refused.read_bytes(), refused.stat().st_mtime_ns) == before


def test_a_file_that_can_not_be_read_is_told_apart_from_a_damaged_one(
    filled: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def refuse(of: Path) -> bytes:
        if of.suffix == ".safetensors":
            raise MemoryError
        return read(of)

    path(filled, "coarseness", 4).touch()  # else it is known to be sound, and not read
    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = failed(filled)
    assert set(found) == {("coarseness", SOUND)}
    assert "unreadable: " in found["coarseness", SOUND] and "corrupt" not in found["coarseness", SOUND]
