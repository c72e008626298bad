"""Small caches with a bound: values by the state of a file or folder, and bytes by content."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")
Stamp = tuple[int, int] | None
_SETTLED_NS = 2_000_000_000  # a clock tick may hold two changes: what is younger is not kept


def stamp(path: Any) -> Stamp:
    """(modification time in ns, size) of a file or folder; None where there is none."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    changed = getattr(status, "st_mtime_ns", None) or int(getattr(status, "st_mtime", 0) * 1e9)
    return (changed, int(status.st_size))


class ByStamp(Generic[Value]):
    """Values read from files or folders, read again when these changed; at most `most` of them."""

    def __init__(self, most: int) -> None:
        self._kept: OrderedDict[Hashable, tuple[Stamp, Value]] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def get(self, key: Hashable, path: Any, read: Callable[[], Value]) -> Value:
        """What `read` gave when `path` was last as it is now."""
        now = stamp(path)
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] == now:
                self._kept.move_to_end(key)
                return found[1]
        value = read()
        if now is None or time.time_ns() - now[0] > _SETTLED_NS:
            with self._lock:
                self._kept[key] = (now, value)
                self._kept.move_to_end(key)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return value


class ByteCache:
    """Answers by their ETag, the least recently used thrown away beyond `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._limit, self._size = limit, 0
        self._lock = threading.Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The bytes that `make` gave for this key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        data = make()
        with self._lock:
            if len(data) <= self._limit // 2 and key not in self._kept:
                self._kept[key] = data
                self._size += len(data)
                while self._size > self._limit:
                    self._size -= len(self._kept.popitem(last=False)[1])
        return data
