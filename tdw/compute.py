"""How a process of ours computes: one thread, memory kept at hand, little time for the garbage collector.

Importing this imports no torch.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Generator

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # names of glibc's malloc.h
_LARGEST = 32 * 2**20  # that mallopt takes
_KEPT = 512 * 2**20
_NEW_OBJECTS = 7000


def ask_for_one_thread() -> None:
    """Before numpy, torch and numba are imported: they take one thread, unless the environment says more."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def keep_freed_memory() -> None:
    """Give memory that is freed to this process's next arrays: up to 512 MiB, in arrays of at most 32 MiB.

    Otherwise glibc may return arrays of tens of megabytes to the system each time, and a forward pass waits
    for the system, which clears every page that it hands out anew. For processes that do nothing
    but compute, since it can't be taken back. Where the C library is another one, nothing happens.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _LARGEST)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)


def collect_garbage_seldom() -> None:
    """Search for unreachable cycles after ten times as many new objects as Python's default.

    A search of all objects takes long where Dagster, PyTorch and Plotly are loaded, and finds next to
    nothing: arrays and tensors are freed by their reference counts. For processes of our own.
    """
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


@contextlib.contextmanager
def without_collecting() -> Generator[None]:
    """Around imports. What is there on leaving is never looked through again: modules stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def one_thread() -> Generator[None]:
    """Compute with one CPU thread and without subnormal numbers inside; as it was before on leaving.

    Two threads give other bits from run to run. Once the training pairs are learned, gradients and moments
    shrink below 1e-38, where float32 is subnormal and each operation costs a hundred times as much: an epoch
    takes up to ten times as long. There they count as zero, which no weight can notice beside the optimizer's
    eps of 1e-8.
    """
    import torch

    threads = torch.get_num_threads()
    flushed = sys.float_info.min / 2 == 0.0  # by trying: torch does not tell
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushed)
