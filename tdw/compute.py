"""How torch computes where bits count: with one thread. Importing this imports no torch."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator


def ask_for_one_thread() -> None:
    """Before numpy, torch and numba are imported: they take one thread, unless the environment says more."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(name, "1")


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
