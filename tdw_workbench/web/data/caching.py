"""Small caches with a bound: values by the state of a file or folder, and bytes by content."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")
Stamp = tuple[int, int] | None
_SETTLED_NS = 2_000_000_000  # a clock tick may hold two changes: what is younger is not kept


def stamp(path: Path) -> Stamp:
    """(modification time in ns, size) of a file or folder; None where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_mtime_ns, status.st_size


class ByStamp(Generic[Value]):
    """Values read from files or folders, read again when these changed; at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._kept: LRUCache[Hashable, tuple[list[Stamp], Value]] = LRUCache(most)
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], Value], *paths: Path) -> Value:
        """What `read` gave when `paths` were last as they are now."""
        now = [stamp(path) for path in paths]
        with self._lock:
            found = self._kept.get(key)
        if found is not None and found[0] == now:
            return found[1]
        value = read()
        if time.time_ns() - max((each[0] for each in now if each), default=0) > _SETTLED_NS:
            with self._lock:
                self._kept[key] = (now, value)
        return value


class ByteCache:
    """Answers by their ETag, the least recently used thrown away beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._kept: LRUCache[str, bytes] = LRUCache(limit, getsizeof=len)
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes that `make` gave for this key."""
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found
        data = make()
        if len(data) <= self._kept.maxsize // 2:
            with self._lock:
                self._kept[key] = data
        return data
