"""What is set while training is as it was afterwards, and subnormal numbers don't slow it down."""

import pytest
import torch

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer import FAMILY
from tdw.training.environment import describe_environment, differences, one_thread, resolve_device


def subnormals_are_kept() -> bool:
    return bool(float(torch.tensor(1e-40) * 1.0))


@pytest.mark.parametrize("flushed", [False, True])
def test_threads_and_subnormal_numbers_are_as_before_after_training(flushed: bool) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_flush_denormal(flushed)
    try:
        with pytest.raises(RuntimeError, match="as if"), one_thread():
            assert torch.get_num_threads() == 1
            assert not subnormals_are_kept()
            raise RuntimeError("as if training failed")
        assert torch.get_num_threads() == 2
        assert subnormals_are_kept() != flushed
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


def test_every_decisive_difference_is_listed() -> None:
    here = describe_environment(FAMILY, device="cpu", form="plain")
    assert differences(here, here) == []
    there = {**here, "torch": "1.0", "cpu": "Z80", "tdw": "0.0.1"}
    found = differences(there, here)
    assert len(found) == 2
    assert any("torch: 1.0 when it was made" in line for line in found)
    assert any("cpu: Z80 when it was made" in line for line in found)


def test_an_unknown_device_is_refused() -> None:
    assert resolve_device("cpu") == "cpu"
    with pytest.raises(BadConfig, match="auto, cpu or cuda"):
        resolve_device("tpu")
