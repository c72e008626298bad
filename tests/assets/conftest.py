"""A tiny study with an instance and a store of its own."""

from pathlib import Path

import pytest
from lab import Lab, tiny_study

from tdw.store import Store
from tdw_assets.cells.partitions import register_variants
from tdw_assets.cells.wanted import Grid
from tdw_resources.instance import open_instance


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    grid = Grid.of(tiny_study())
    instance = open_instance(tmp_path / "home")
    register_variants(grid, instance, grid.variants)
    return Lab(grid, instance, Store(tmp_path / "store"))
