"""Hostile inputs to every loader: refused with a message, or taken and harmless."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tdw.store import Store

from .inputs import FUZZERS, SLOW, filled_store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with filled_store() as made:
        yield made


@pytest.mark.parametrize("name", FUZZERS)
def test_no_loader_crashes_runs_code_or_leaves_the_store(store: Store, name: str) -> None:
    examples = 10 if name in SLOW else 60
    assert FUZZERS[name](store, examples=examples, seed=0) >= examples // 2
