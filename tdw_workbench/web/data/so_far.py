"""The figures of trainings that go on: built anew while the history grows, as seldom as they are costly."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass

from tdw.drawing.style import figure_json
from tdw.families import get_family
from tdw.making.figures import variant_figure
from tdw.training.records import HISTORY
from tdw_workbench.web.data.store_cache import StoreCache

SHARE = 0.005
"""Of a core, at most, goes into drawing a figure again and again."""
MOST = 64


@dataclass(frozen=True)
class _Drawn:
    data: bytes
    until: float


class FiguresSoFar:
    """`{"running": words, "figure": Plotly's JSON}` of figures that are made of a history."""

    def __init__(self) -> None:
        self._drawn: dict[tuple[str, str, str], _Drawn] = {}
        self._lock = threading.Lock()

    def get(self, library: StoreCache, family: str, variant: str, name: str) -> bytes | None:
        """The figure so far, at most as old as is affordable; None when the variant does not train now."""
        key, now = (family, variant, name), time.monotonic()
        with self._lock:
            kept = self._drawn.get(key)
        if kept is not None and now < kept.until and library.store.is_locked(family, variant, "train"):
            return kept.data
        cost = time.thread_time()
        running = library.running(family, variant)
        if running is None:
            return None
        figure = figure_json(variant_figure(library.store, get_family(family), variant, name))
        data = f'{{"running": {json.dumps(str(running))}, "figure": {figure}}}'.encode()
        # The first one imports what draws, too; what a figure costs is known from the second one on.
        wait = 0.5 if kept is None else max(0.5, (time.thread_time() - cost) / SHARE)
        with self._lock:
            self._drawn[key] = _Drawn(data, time.monotonic() + wait)
            while len(self._drawn) > MOST:
                self._drawn.pop(next(iter(self._drawn)))
        return data


def is_of_history(needs: tuple[str, ...]) -> bool:
    """Whether a plot with these needs can be drawn while a variant trains."""
    return needs == (HISTORY,)
