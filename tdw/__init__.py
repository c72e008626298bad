"""Training Dynamics Workbench: how does behavior X change across training?

The science, without Dagster. `tdw.open()` is the door for notebooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tdw.notebook.workbench import Workbench
    from tdw.store import Store

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(store: str | Path | Store | None = None) -> Workbench:
    """Open a store for reading.

    Args:
        store: a folder or an open `Store`; None for $TDW_STORE, else the default folder.
    """
    from tdw.notebook.workbench import open_workbench

    return open_workbench(store)
