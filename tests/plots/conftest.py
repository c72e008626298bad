from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from figures import EPOCHS, KEYS, MISSING
from synthetic import write_variant

from tdw.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three variants: complete; with gaps; without grokking."""
    store = Store(tmp_path_factory.mktemp("store"))
    common: dict[str, Any] = {"epochs": EPOCHS, "neurons": 12}
    write_variant(store, KEYS[0], groks_at=1500, artifacts=True, **common)
    write_variant(store, KEYS[1], groks_at=2500, missing=MISSING, skip=range(1001, 2000), **common)
    write_variant(store, KEYS[2], groks_at=None, **common)
    return store


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store(tmp_path)
