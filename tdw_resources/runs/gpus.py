"""One run at a time per GPU: with several in a machine, each run gets one of its own.

A GPU is held by a lock file, which dies with its process. So it needs no server and counts runs of `tdw fill`
and of Dagster alike. It sees those GPUs only that $CUDA_VISIBLE_DEVICES leaves to it, which SLURM sets, too.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from tdw.errors import Busy
from tdw.store.lock import exclusive

_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
"""NVIDIA's driver, AMD's, and that of Windows' subsystem: without one, torch need not be imported to look."""


@contextlib.contextmanager
def hold_gpu(device: str, *, on_wait: Callable[[], None] | None = None) -> Generator[None]:
    """Have torch use a GPU that no other run uses, waiting for one; nothing happens for "cpu".

    Args:
        device: "auto", "cpu" or "cuda".
        on_wait: called once when all are in use.
    """
    if device == "cpu" or not any(driver.exists() for driver in _DRIVERS):
        yield
        return
    import torch

    if not torch.cuda.is_available():
        yield
        return
    names = [str(torch.cuda.get_device_properties(at).uuid) for at in range(torch.cuda.device_count())]
    with hold_one(names, on_wait=on_wait) as at, torch.cuda.device(at):
        yield


@contextlib.contextmanager
def hold_one(
    names: Sequence[str], *, folder: Path | None = None, on_wait: Callable[[], None] | None = None
) -> Generator[int]:
    """Hold the first free one of `names`; yields its place in them.

    Args:
        folder: of the lock files; by default one for this user and machine.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"tdw-gpus-{os.getuid()}"
    with contextlib.ExitStack() as held:
        while (found := _take_one(names, folder, held)) is None:
            if on_wait:
                on_wait()
                on_wait = None
            time.sleep(0.2)
        yield found


def _take_one(names: Sequence[str], folder: Path, held: contextlib.ExitStack) -> int | None:
    for at, name in enumerate(names):
        with contextlib.suppress(Busy):
            held.enter_context(exclusive(folder / f"{name}.lock", wait_s=0.0))
            return at
    return None
