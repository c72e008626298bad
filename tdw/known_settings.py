"""Known settings around whatever computes: a caller's global settings decide no bit, and are not changed.

torch, numpy and pandas have settings for the whole process that a notebook may have set for purposes of its
own: a default dtype or device, autocast, the precision of matrix products, what a floating-point error does.
Every entry point of `tdw` runs under `known_settings`, which are the defaults of these libraries with one
thread for numpy's matrix products, and leaves the caller's as they were, random generators included. A
library that is not loaded on entry has its defaults.

Settings of the process count for all of its threads: while one thread is in here, another one of the caller's
sees them too.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import random
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np

_P = ParamSpec("_P")
_R = TypeVar("_R")

_PRINTING: dict[str, Any] = {
    "edgeitems": 3, "threshold": 1000, "floatmode": "maxprec", "precision": 8, "suppress": False,
    "linewidth": 75, "nanstr": "nan", "infstr": "inf", "sign": "-", "formatter": None, "legacy": False,
}  # fmt: skip
_PANDAS = ("compute.", "display.", "future.", "io.parquet.", "mode.")
_BUFFER = 8192  # numpy's own: sums over casts are grouped by it

_lock = threading.RLock()
_inside = threading.local()
_shared: list[contextlib.ExitStack] = []  # one per thread that is inside; the first holds what to undo


@contextlib.contextmanager
def known_settings() -> Generator[None]:
    """Compute under the settings that the results are defined by; as it was before on leaving.

    Not to be held across a `yield` to a caller: see `under_known_settings`. Inside itself it does nothing.
    """
    if getattr(_inside, "yes", False):
        yield
        return
    with contextlib.ExitStack() as stack:
        _inside.yes = True
        stack.callback(setattr, _inside, "yes", False)
        _enter_process(stack)
        _set_thread(stack)
        yield


def under_known_settings(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate an entry point: its body runs under `known_settings`.

    Of a generator, each step does; between two steps the caller has its own settings.
    """

    @functools.wraps(function)
    def stepped(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[Any]:
        with known_settings():
            steps = cast("Generator[Any]", function(*args, **kwargs))
        return _step(steps)

    @functools.wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with known_settings():
            return function(*args, **kwargs)

    return cast("Callable[_P, _R]", stepped if inspect.isgeneratorfunction(function) else called)


def _step(steps: Generator[Any]) -> Iterator[Any]:
    try:
        while True:
            with known_settings():
                try:
                    value = next(steps)
                except StopIteration:
                    return
            yield value
    finally:
        with known_settings():
            steps.close()


def _enter_process(stack: contextlib.ExitStack) -> None:
    """Set what counts for the process, unless another thread has; undone when the last one leaves."""
    with _lock:
        if not _shared:
            undo = contextlib.ExitStack()
            with undo:
                _set_process(undo)
                _shared.append(undo.pop_all())
        else:
            _shared.append(contextlib.ExitStack())

    def leave() -> None:
        with _lock:
            if len(_shared) == 1:
                _shared[0].close()
            _shared.pop()

    stack.callback(leave)


def _set_process(undo: contextlib.ExitStack) -> None:
    _keep_random_states(undo)
    undo.enter_context(warnings.catch_warnings())
    if any(action == "error" for action, *_ in warnings.filters):
        warnings.simplefilter("default")  # shown, not raised: a library's warning is no failure of ours
    undo.enter_context(_blas().limit(limits=1, user_api="blas"))
    if "pandas" in sys.modules:
        _set_pandas(undo)
    if "torch" in sys.modules:
        from tdw.torch_settings import set_process

        set_process(undo)


def _set_thread(stack: contextlib.ExitStack) -> None:
    buffer = np.getbufsize()
    stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
    if buffer != _BUFFER:
        stack.callback(np.setbufsize, buffer)
        np.setbufsize(_BUFFER)
    stack.enter_context(np.printoptions(**_PRINTING))
    if "torch" in sys.modules:
        from tdw.torch_settings import set_thread

        set_thread(stack)


def _keep_random_states(undo: contextlib.ExitStack) -> None:
    """Nothing of ours draws from the global generators, but what we call may."""
    undo.callback(random.setstate, random.getstate())
    undo.callback(np.random.set_state, np.random.get_state())


def _set_pandas(undo: contextlib.ExitStack) -> None:
    """Options that decide what is computed, or how a table is written down; not those of plots and Excel."""
    import pandas as pd

    options: Any = pd
    defaults = _pandas_defaults()
    now = _options_now(options.options.d)
    changed = {name: now[name] for name, default in defaults.items() if now[name] != default}
    if not changed:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # setting a deprecated option warns
        for name in changed:
            options.set_option(name, defaults[name])

    def restore() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, value in changed.items():
                options.set_option(name, value)

    undo.callback(restore)


@functools.cache
def _pandas_defaults() -> dict[str, Any]:
    """Option -> its default. pandas only tells by resetting it."""
    import pandas as pd

    options: Any = pd
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # touching a deprecated option warns
        for name, before in _options_now(options.options.d).items():
            if name.startswith(_PANDAS):
                options.reset_option(name)
                found[name] = options.get_option(name)
                if before != found[name]:
                    options.set_option(name, before)
    return found


def _options_now(group: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Full name -> value of pandas' options, off its own tree: `get_option` takes 35 µs for each of 75."""
    found: dict[str, Any] = {}
    for name, value in group.items():
        if isinstance(value, dict):
            found |= _options_now(cast("dict[str, Any]", value), f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


@functools.cache
def _controller(loaded: tuple[bool, ...]) -> Any:
    from threadpoolctl import ThreadpoolController  # pyright: ignore[reportMissingTypeStubs]

    return ThreadpoolController()


def _blas() -> Any:
    """The libraries of matrix products that are loaded: numpy's, and scipy's once it is there."""
    return _controller(tuple(name in sys.modules for name in ("scipy.linalg", "torch")))
