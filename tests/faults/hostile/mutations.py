"""What hypothesis makes of a good input: changed trees and bytes, right checksums; and how it is tried."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as hypothesis_seed
from hypothesis import strategies as st

from tdw.errors import TdwError
from tdw.store import seal

paths = st.sampled_from(
    [
        "..",
        "../..",
        "/etc/passwd",
        "/",
        "~",
        "a/../../b",
        "..\\..",
        "a\0b",
        "C:\\x",
        ".",
        "",
        "x" * 300,
        "\n",
        "%2e",
    ]
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | paths
    | st.sampled_from([2**63, -(2**64), 10**40, 1e308, "NaN", "__class__", "{0.__class__}"])
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12) | paths, inner, max_size=4)
    ),
    max_leaves=12,
)


def _places(tree: Any) -> list[tuple[Any, ...]]:
    """Every place in nested mappings and lists."""
    if isinstance(tree, dict):
        return [(k, *rest) for k, v in tree.items() for rest in [(), *_places(v)]]
    if isinstance(tree, list):
        return [(i, *rest) for i, v in enumerate(tree) for rest in [(), *_places(v)]]
    return []


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """A copy of which one to three places hold something else, are gone, or have another name."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(tree)
        if not places:
            return draw(values)
        *way, last = draw(st.sampled_from(places))
        holder = tree
        for part in way:
            holder = holder[part]
        what = draw(st.sampled_from(["change", "change", "remove", "rename"]))
        if what == "remove":
            del holder[last]
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(paths | st.text(max_size=12))] = holder.pop(last)
        else:
            holder[last] = draw(values)
    return tree


@st.composite
def changed_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    """A copy with some bytes changed, removed or put in."""
    mutable = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(mutable) - 1)))
        what = draw(st.sampled_from(["set", "cut", "insert"]))
        if what == "set" and mutable:
            mutable[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del mutable[at : at + draw(st.integers(1, 64))]
        else:
            mutable[at:at] = draw(st.binary(min_size=1, max_size=16))
    return bytes(mutable)


def reseal(data: bytes) -> bytes:
    """Put the right checksum in, as an attacker would."""
    at = data.find(seal.MARK)
    if at < 0 or len(data) < at + len(seal.MARK) + 64:
        return data
    at += len(seal.MARK)
    blank = data[:at] + b"0" * 64 + data[at + 64 :]
    return data[:at] + hashlib.sha256(blank).hexdigest().encode() + data[at + 64 :]


def fuzz(check: Callable[[Any], None], strategy: st.SearchStrategy[Any], *, examples: int, seed: int) -> int:
    """Check so many values of a strategy; how many were tried."""
    ran = 0

    @hypothesis_seed(seed)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    @given(strategy)
    def run(value: Any) -> None:
        nonlocal ran
        ran += 1
        check(value)

    run()
    return ran


def refused_or(read: Callable[[], Any]) -> Any:
    """The value, or None where it is refused with a message and a remedy."""
    try:
        return read()
    except TdwError as error:
        assert error.what and error.remedy, "an error without a message or a remedy"
        return None
