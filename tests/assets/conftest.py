"""A tiny study with an instance and a store of its own."""

from pathlib import Path

import pytest
from lab import Lab, tiny_study

from tdw.store import Store
from tdw_assets.cells.partitions import register_variants
from tdw_resources.instance import open_instance
from tdw_resources.wanted import WantedAssets


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    wanted = WantedAssets.of(tiny_study())
    instance = open_instance(tmp_path / "home")
    register_variants(wanted, instance, wanted.variants)
    return Lab(wanted, instance, Store(tmp_path / "store"))
