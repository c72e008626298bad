"""What dtype and shape an analyzer's arrays must have, read from what the analyzer declares of them.

A declaration begins with the dtype and the shape: "float32 (d_mlp, p, p), [neuron, a, b]". A length that the
family knows by name is compared; another one (n, t, 20) depends on parameters or weights, and only counts as
a dimension. A name may stand for several: "{train,test}_loss".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from tdw.recipes.analyzer import Analyzer

_DECLARED = re.compile(r"(?P<dtype>[a-z]+\d*) \((?P<shape>(?:[^()]|\([^()]*\))*)\)")


def wrong_arrays(
    analyzer: Analyzer, arrays: Mapping[str, npt.NDArray[Any]], lengths: Mapping[str, int]
) -> str:
    """How arrays differ from what the analyzer declares, in words; "" when they don't.

    Args:
        analyzer: with the same code version as the arrays.
        arrays: as read from the store.
        lengths: what the family's names of lengths stand for, such as d_mlp.
    """
    problems: list[str] = []
    declared = {_pattern(name): meaning for name, meaning in analyzer.arrays.items()}
    for name, array in arrays.items():
        meanings = [meaning for pattern, meaning in declared.items() if pattern.fullmatch(name)]
        if not meanings:
            problems.append(f"{name} is none of its arrays")
        elif not any(_fits(meaning, array, lengths) for meaning in meanings):
            problems.append(f"{name} is {array.dtype.name} {array.shape}, not {meanings[0].split('),')[0]}")
    problems += [
        f"{name} is missing" for name in analyzer.arrays if not any(map(_pattern(name).fullmatch, arrays))
    ]
    return "; ".join(problems[:4]) if analyzer.arrays else ""


def _pattern(name: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", name)
    return re.compile(".+".join(map(re.escape, parts)))


def _fits(meaning: str, array: npt.NDArray[Any], lengths: Mapping[str, int]) -> bool:
    match = _DECLARED.match(meaning)
    if match is None:
        return True
    shape = [part.strip() for part in match["shape"].split(",") if part.strip()]
    return (
        array.dtype.name == match["dtype"]
        and len(shape) == array.ndim
        and all(lengths.get(part, n) == n for part, n in zip(shape, array.shape, strict=True))
    )
