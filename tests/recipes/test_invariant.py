"""The invariant: one model, one probe, one way of computing, refused in one error with every difference."""

import dataclasses

import pytest

from tdw.errors import FingerprintMismatch
from tdw.recipes.consistency.invariant import Invariant, require_configuration, require_one_model
from tdw.store import Provenance

RECORD = Provenance(
    "toy", "v", "coarseness", 0,
    code_version="1", parameters={"radius": 0.1}, variant_fingerprint="a" * 64, probe_fingerprint="b" * 64,
)  # fmt: skip


def refusal(*series: list[Provenance]) -> str:
    with pytest.raises(FingerprintMismatch) as caught:
        require_one_model(series)
    return str(caught.value)


def test_a_series_that_mixes_fingerprints_lists_every_difference_with_its_epochs() -> None:
    other = {"variant_fingerprint": "c" * 64, "parameters": {"radius": 0.2}}
    series = [RECORD, *(dataclasses.replace(RECORD, epoch=epoch, **other) for epoch in (100, 200))]
    message = refusal(series)
    assert "variant_fingerprint: aaaaaaaaaaaa at epoch 0; cccccccccccc at epochs 100, 200" in message
    assert '{"radius":0.1} at epoch 0; {"radius":0.2} at epochs 100, 200' in message
    assert "tdw fill --out-of-date" in message


@pytest.mark.parametrize("field", ["family", "variant", "variant_fingerprint", "probe_fingerprint"])
def test_series_of_several_analyzers_are_held_to_one_model(field: str) -> None:
    beside = dataclasses.replace(RECORD, name="frequencies", code_version="7", parameters={"n": 3})
    require_one_model([[RECORD, dataclasses.replace(RECORD, epoch=5)], [beside]])
    assert f"{field}: " in refusal([RECORD], [dataclasses.replace(beside, **{field: "x"})])


def test_an_artifact_that_does_not_record_its_probe_is_not_taken_for_one_that_does() -> None:
    assert "not recorded" in refusal([RECORD, dataclasses.replace(RECORD, epoch=1, probe_fingerprint="")])


def test_a_file_of_another_configuration_is_named_with_both_fingerprints() -> None:
    require_configuration(RECORD, "a" * 64, path="x.safetensors")
    with pytest.raises(FingerprintMismatch, match=r"x\.safetensors.*\n.*aaaaaaaaaaaa.*dddddddddddd"):
        require_configuration(RECORD, "d" * 64, path="x.safetensors")


def test_a_long_list_of_differences_is_cut_and_counted() -> None:
    invariant = Invariant("too much")
    for at in range(30):
        invariant.note(f"field {at}", "left", "in one file")
        invariant.note(f"field {at}", "right", "in another")
    with pytest.raises(FingerprintMismatch, match="and 10 more"):
        invariant.hold()
