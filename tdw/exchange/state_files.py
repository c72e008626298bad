"""Files of weights that other programs wrote: read without running code, refused with a reason of ours.

safetensors (https://github.com/huggingface/safetensors) is told by its content, whatever the file is called;
everything else goes through `torch.load` with `weights_only=True`.
"""

# safetensors ships partial types, torch's loader returns anything.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable, listed
from tdw.store import reading

if TYPE_CHECKING:
    import torch

    Weights = dict[str, torch.Tensor]

BUFFERS = ("mask", "IGNORE")
"""Last parts of the names of attention's buffers, which are no weights; they may have any dtype."""
_PAGE = ("a web page", "download the file itself, not the page that shows it")
_POINTERS = {
    b"version https://git-lfs": ("a Git LFS pointer", "fetch the file itself: `git lfs pull`"),
    b"/annex/objects/": ("a git-annex pointer", "fetch the file itself: `git annex get`"),
    b"<!DOCTYPE html": _PAGE,
    b"<!doctype html": _PAGE,
    b"<html": _PAGE,
}
_SAVE = "save the model's state_dict with safetensors or torch.save"
_LONGEST_NAME = 200
_FORBIDDEN = re.compile(r"GLOBAL ([\w.]+)")


def load_file(file: Path) -> Any:
    """All that a file holds, on the CPU, without running code from it.

    Raises:
        NotFound, CorruptFile, Unreadable: each names the file.
    """
    try:
        with reading.opened(file) as source:
            head = source.read(64)
        for start, (what, remedy) in _POINTERS.items():
            if head.lstrip().startswith(start):
                raise CorruptFile(f"{file}: is {what}, not the weights", remedy)
        archive = head.startswith(b"PK")
        if head[8:9] == b"{" and not archive:
            return _load_safetensors(file)
        if file.suffix.lower() == ".safetensors" and not archive:
            raise CorruptFile(f"{file}: can't be read as weights (no safetensors header)", _SAVE)
        return _load_torch(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(
            f"{file}: no such file", "give the path of a safetensors file or a state dict"
        ) from error
    except Unreadable:
        raise
    except (OSError, MemoryError, ImportError) as error:
        reason = getattr(error, "strerror", "") or str(error) or type(error).__name__
        raise Unreadable(f"{file}: can't be read ({reason})", "correct the cause that is named") from error


def _load_safetensors(file: Path) -> Any:
    import safetensors.torch

    try:
        return safetensors.torch.load_file(file)
    except (OSError, MemoryError, ImportError):
        raise
    except Exception as error:  # bytes that mean harm make a reader fail in any way
        first = (str(error).splitlines() or [repr(error)])[0][:200]
        raise CorruptFile(f"{file}: can't be read as weights ({first})", _SAVE) from error


def _load_torch(file: Path) -> Any:
    import torch

    try:
        # By its name alone torch may refuse it. Its warnings are of formats that are then refused.
        with file.open("rb") as stream, warnings.catch_warnings(action="ignore"):
            return torch.load(stream, map_location="cpu", weights_only=True)
    except (OSError, MemoryError, ImportError):
        raise
    except Exception as error:  # bytes that mean harm make an unpickler fail in any way
        # torch's own words advise to load with the safety off; nobody should read that from us.
        found = _FORBIDDEN.search(str(error))
        what = f"holds {found[1]}, and only tensors are read" if found else "it is no state dict"
        raise CorruptFile(f"{file}: can't be read as weights ({what})", _SAVE) from None


def pick_entry(loaded: Any, entry: str, *, where: object) -> Any:
    """The part of what a file holds that `entry` names: keys and positions joined by dots.

    Raises:
        BadConfig: there is none; lists what there is.
    """
    part, rest = loaded, entry
    while rest:
        step = _step(part, rest)
        if step is None:
            done = entry[: len(entry) - len(rest)].rstrip(".")
            raise BadConfig(
                f"{where}: has no entry {rest[:80]!r}{f' in {done}' if done else ''}",
                f"it has: {', '.join(entry_names(part)) or 'no entries'}",
            )
        part, rest = step
    return part


def _step(part: Any, rest: str) -> tuple[Any, str] | None:
    """What the first key of `rest` leads to, and what is left of `rest`. A key may hold dots itself."""
    parts = rest.split(".")
    for n in range(len(parts), 0, -1):
        key, left = ".".join(parts[:n]), ".".join(parts[n:])
        number = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else None
        if isinstance(part, Mapping):
            for candidate in (key, number):
                if candidate is not None and candidate in part:
                    return part[candidate], left
        elif isinstance(part, (list, tuple)) and number is not None and number < len(part):
            return part[number], left
    return None


def entry_names(part: Any) -> list[str]:
    """A few names of entries, for messages."""
    if isinstance(part, Mapping):
        names = [str(name)[:40] for name in list(part)[:8]]
        return [*names, "..."] if len(part) > 8 else names
    return [f"0 to {len(part) - 1}"] if isinstance(part, (list, tuple)) and part else []


def require_state_dict(loaded: Any, *, where: object) -> Weights:
    """Tensors by name, each one an ordinary tensor of real numbers.

    Raises:
        CorruptFile: something else than a state dict; says what.
        BadConfig: sparse, quantized, nested or meta tensors, integers, booleans or complex numbers; by name.
    """
    import torch

    tensors: dict[Any, Any] = dict(loaded) if isinstance(loaded, Mapping) else {}
    named = {name: value for name, value in tensors.items() if isinstance(name, str)}
    if not named or len(named) < len(tensors) or not all(map(torch.is_tensor, named.values())):
        inside = entry_names(loaded)
        raise CorruptFile(
            f"{where}: holds {type(loaded).__name__}, not a state dict",
            f"save `model.state_dict()` alone, or name the entry that is one (it has: {', '.join(inside)})"
            if inside
            else "save `model.state_dict()` alone",
        )
    # Others' names reach the terminal: no control sequences, no pages of text.
    odd = [repr(name[:80]) for name in named if len(name) > _LONGEST_NAME or not name.isprintable()]
    if odd:
        raise BadConfig(
            f"{where}: tensors with names that can't be printed, or are longer than {_LONGEST_NAME} "
            f"characters:\n  {listed(odd)}",
            _SAVE,
        )
    problems = [f"{name}: {what}" for name, tensor in named.items() if (what := _unfit(name, tensor))]
    if problems:
        raise BadConfig(
            f"{where}: tensors that are no weights:\n  {listed(problems)}",
            "save dense tensors of float32, float64 or a shorter float",
        )
    return named


def _unfit(name: str, tensor: torch.Tensor) -> str:
    import torch

    if tensor.is_nested:
        return "a nested tensor"
    if tensor.is_quantized:
        return f"quantized ({tensor.dtype})"
    if tensor.is_meta:
        return "a meta tensor, which has a shape but no numbers"
    if tensor.layout != torch.strided:
        return f"sparse ({tensor.layout})"
    if not tensor.is_floating_point() and name.rsplit(".", 1)[-1] not in BUFFERS:
        return f"{str(tensor.dtype).removeprefix('torch.')}, not real numbers"
    return ""


def strip_prefixes(state: Weights, prefixes: Sequence[str], *, where: object) -> Weights:
    """The same tensors under names without these prefixes, each taken off as often as it is there.

    Raises:
        BadConfig: a prefix that no name has, or two tensors that would have one name.
    """
    unused, found = set(prefixes) - {""}, dict[str, Any]()
    for name, tensor in state.items():
        short = name
        while hit := next((prefix for prefix in prefixes if prefix and short.startswith(prefix)), ""):
            unused.discard(hit)
            short = short.removeprefix(hit)
        if short in found:
            raise BadConfig(
                f"{where}: two tensors are called {short} without the prefix", "strip another one"
            )
        found[short] = tensor
    if unused:
        raise BadConfig(
            f"{where}: no tensor's name begins with {', '.join(sorted(unused))}",
            f"its names are: {', '.join(entry_names(state))}",
        )
    return found


def common_prefix(state: Weights) -> str:
    """What torch.compile, DataParallel or Lightning puts before every name; "" when there is nothing."""
    for prefix in ("_orig_mod.", "module.", "model."):
        if state and all(name.startswith(prefix) for name in state):
            return prefix
    return ""
