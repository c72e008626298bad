"""Importing much at once without looking for garbage meanwhile: modules stay."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator


@contextlib.contextmanager
def without_collecting() -> Generator[None]:
    """Around imports. What is there on leaving is never looked through again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()
