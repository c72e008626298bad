"""Memory that arrays leave is taken by the next ones; tried in a process of its own, since it stays so."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from tdw.compute import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()


def use():
    for _ in range(20):
        arrays = [np.ones(20 * 2**20, dtype=np.uint8) for _ in range(3)]


use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="a setting of glibc")
def test_arrays_take_the_memory_that_others_have_left() -> None:
    pages_of_an_array = 20 * 2**20 // 4096
    assert page_faults("kept") < pages_of_an_array < page_faults("not kept")
