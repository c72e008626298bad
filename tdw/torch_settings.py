"""torch's part of `known_settings`: the defaults that the stored bits are defined by."""

# torch ships partial types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import sys
from operator import attrgetter
from typing import Any

import torch

# Attribute below `torch.backends` -> the values that mean float32 as it is; the first one is set.
_PRECISIONS = {
    "fp32_precision": ("none", "ieee"),
    "cuda.matmul.fp32_precision": ("ieee", "none"),
    "mkldnn.fp32_precision": ("none", "ieee"),
    "mkldnn.matmul.fp32_precision": ("ieee", "none"),
    "mkldnn.enabled": (True,),
    "mkldnn.deterministic": (False,),
}


def set_process(undo: contextlib.ExitStack) -> None:
    """Set what counts for the whole process; `undo` gets what takes it back."""
    undo.callback(torch.set_rng_state, torch.get_rng_state())
    if torch.cuda.is_available() and torch.cuda.is_initialized():
        undo.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
    dtype = torch.get_default_dtype()
    if dtype != torch.float32:
        undo.callback(torch.set_default_dtype, dtype)
        torch.set_default_dtype(torch.float32)
    for path, good in _PRECISIONS.items():
        _set_backend(undo, path, good)
    if not hasattr(torch.backends, "fp32_precision"):  # torch before 2.9
        undo.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("highest")
    if torch.are_deterministic_algorithms_enabled():
        only_warn = torch.is_deterministic_algorithms_warn_only_enabled()
        undo.callback(torch.use_deterministic_algorithms, True, warn_only=only_warn)
        torch.use_deterministic_algorithms(False)
    undo.enter_context(torch.autograd.set_detect_anomaly(False))


def set_thread(stack: contextlib.ExitStack) -> None:
    """Set what counts for this thread; `stack` gets what takes it back."""
    stack.enter_context(torch.inference_mode(False))
    stack.enter_context(torch.enable_grad())
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        stack.enter_context(torch.autocast(device, enabled=False))
    if torch.get_default_device().type != "cpu":
        stack.enter_context(torch.device("cpu"))  # only then: it costs time with every operation
    if is_flushing():
        stack.callback(torch.set_flush_denormal, True)
        torch.set_flush_denormal(False)


def is_flushing() -> bool:
    """Whether this thread counts subnormal numbers as zero, by trying: torch does not tell."""
    return sys.float_info.min / 2 == 0.0


def _set_backend(undo: contextlib.ExitStack, path: str, good: tuple[Any, ...]) -> None:
    *parents, name = path.split(".")
    try:
        owner: Any = attrgetter(".".join(parents))(torch.backends) if parents else torch.backends
        before = getattr(owner, name)
    except AttributeError:
        return  # this version of torch has no such setting
    if before in good:
        return

    def restore() -> None:
        if getattr(owner, name) != before:
            setattr(owner, name, before)

    undo.callback(restore)
    setattr(owner, name, good[0])
