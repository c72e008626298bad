"""GPUs that runs share: each run has one of its own, and a dead run's is free again."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tdw_resources.runs import gpus
from tdw_resources.runs.gpus import hold_gpu, hold_one

TWO = ("gpu-a", "gpu-b")
HOLD = "import sys, pathlib; from tdw_resources.runs.gpus import hold_one\n"
HOLD += "with hold_one(sys.argv[2:], folder=pathlib.Path(sys.argv[1])) as at: print(at, flush=True); input()"


def test_runs_get_a_gpu_each_and_the_one_of_a_killed_run_is_free(tmp_path: Path) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), *TWO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert first.stdout is not None and first.stdout.readline() == "0\n"
    with hold_one(TWO, folder=tmp_path) as second:
        assert second == 1
        waits, got = threading.Event(), list[int]()

        def third() -> None:
            with hold_one(TWO, folder=tmp_path, on_wait=waits.set) as at:
                got.append(at)

        waiter = threading.Thread(target=third)
        waiter.start()
        assert waits.wait(10) and not got
        first.kill()
        first.wait()
        waiter.join(10)
        assert got == [0]
    with hold_one(TWO, folder=tmp_path) as again:
        assert again == 0


def test_torch_is_told_which_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    class Properties:
        def __init__(self, at: int) -> None:
            self.uuid = TWO[at]

    used: list[int] = []

    class Device:
        def __init__(self, at: int) -> None:
            used.append(at)

        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None: ...

    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(gpus, "_DRIVERS", (tmp_path,))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", Properties)
    monkeypatch.setattr(torch.cuda, "device", Device)
    with hold_gpu("auto"), hold_gpu("cuda"), hold_gpu("cpu"):
        assert used == [0, 1]


def test_without_a_driver_torch_is_not_even_imported() -> None:
    code = "import sys; from tdw_resources.runs import gpus; gpus._DRIVERS = ()\n"
    code += "with gpus.hold_gpu('auto'): print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
