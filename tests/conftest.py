"""A tiny trained and analyzed variant that every package's tests may copy."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on who else works on the machine; it is no property of the code.
settings.register_profile("tdw", deadline=None)
settings.load_profile("tdw")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Started in the background, the tests would ignore SIGINT, and so would every process that they try to stop.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Nothing a test does may reach the store or the Dagster home of the project.
for name in ("TDW_STORE", "TDW_STUDY", "TDW_BASE_URL", "TDW_DAGSTER_HOME", "DAGSTER_HOME"):
    os.environ.pop(name, None)

from tiny_variant import TINY, TINY_EPOCHS  # noqa: E402

from tdw.drawing.offline_page import NoBrowser, find_browser  # noqa: E402
from tdw.families import get_family  # noqa: E402
from tdw.recipes.catalog import catalog_of  # noqa: E402
from tdw.store import Store  # noqa: E402


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, up to 4: tests that wait for servers and browsers leave a core idle."""
    return min((os.cpu_count() or 1) + 1, 4)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome; skipped where there is none, but in CI that is a failure."""
    try:
        return find_browser()
    except NoBrowser as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def _trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tdw.making.artifacts import analyze
    from tdw.training.loop import train

    family = get_family("modulo_addition_1layer")
    config = family.parse_variant(TINY)
    store = Store(tmp_path_factory.mktemp("trained") / "store")
    for _ in train(config, store=store, checkpoints=TINY_EPOCHS, state_every=10):
        pass
    for result in analyze(
        store, family, config, dict.fromkeys(catalog_of(family).default_names, TINY_EPOCHS)
    ):
        assert result.error is None, result
    return store.root


@pytest.fixture
def tiny_store(_trained: Path, tmp_path: Path) -> Store:
    """A store for each test: the variant TINY, trained to epoch 20 and analyzed at 0, 10 and 20."""
    shutil.copytree(_trained, tmp_path / "tiny")
    return Store(tmp_path / "tiny")
