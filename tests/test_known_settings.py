"""A caller's global settings decide no byte of the store, and are as they were afterwards."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from threadpoolctl import ThreadpoolController
from tiny_variant import TINY, TINY_EPOCHS

import tdw
from tdw.families import get_family
from tdw.integrity.verify import verify
from tdw.known_settings import known_settings, under_known_settings
from tdw.making.comparison import write_comparison
from tdw.making.figures import render
from tdw.recipes.catalog import catalog_of
from tdw.reports.study_report import write_study_report
from tdw.store import Store
from tdw.torch_settings import is_flushing

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.parse_variant(TINY)
Undo = contextlib.ExitStack


def make(root: Path) -> dict[str, bytes]:
    """Everything of the tiny variant: weights, states, artifacts, tables, plots and a report."""
    store = Store(root)
    tdw.open(store).make(TINY, TINY_EPOCHS)
    write_comparison(store, FAMILY, [CONFIG], early_epoch=10)
    for name in ("training_curves", "coarseness_distribution"):
        render(catalog_of(FAMILY).plot(name), store, family=FAMILY, variants=[TINY]).write(store)
    write_study_report(store, FAMILY, [CONFIG], title="tiny", early_epoch=10, last_epoch=20, study={})
    files = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return make(tmp_path_factory.mktemp("undisturbed"))


def backend(path: str, value: Any) -> Callable[[Undo], None]:
    def set_it(undo: Undo) -> None:
        owner: Any = torch.backends
        *parents, name = path.split(".")
        for parent in parents:
            owner = getattr(owner, parent)
        undo.callback(setattr, owner, name, getattr(owner, name))
        setattr(owner, name, value)

    return set_it


def option(name: str, value: Any) -> Callable[[Undo], None]:
    def set_it(undo: Undo) -> None:
        undo.callback(pd.set_option, name, pd.get_option(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pd.set_option(name, value)

    return set_it


def entered(make_context: Callable[[], Any]) -> Callable[[Undo], None]:
    return lambda undo: undo.enter_context(make_context())


def with_undo(do: Callable[[], object], undo_it: Callable[[], object]) -> Callable[[Undo], None]:
    def set_it(undo: Undo) -> None:
        undo.callback(undo_it)
        do()

    return set_it


def seeds(_: Undo) -> None:
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)


def as_errors(undo: Undo) -> None:
    undo.enter_context(warnings.catch_warnings())
    warnings.simplefilter("error")


def dark_plots(undo: Undo) -> None:
    import matplotlib

    undo.enter_context(matplotlib.rc_context())
    matplotlib.rcParams.update({"figure.facecolor": "black", "font.size": 30, "lines.linewidth": 9})
    import plotly.io as pio

    undo.callback(setattr, pio.templates, "default", pio.templates.default)
    pio.templates.default = "plotly_dark"


HOSTILE: dict[str, Callable[[Undo], None]] = {
    **{
        f"default dtype {dtype}": with_undo(
            lambda dtype=dtype: torch.set_default_dtype(dtype), lambda: torch.set_default_dtype(torch.float32)
        )
        for dtype in (torch.float64, torch.float16, torch.bfloat16)
    },
    "default device": with_undo(
        lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)
    ),
    "device context": entered(lambda: torch.device("meta")),
    "autocast": entered(lambda: torch.autocast("cpu", dtype=torch.bfloat16)),
    "no_grad": entered(torch.no_grad),
    "inference mode": entered(torch.inference_mode),
    "matmul precision": with_undo(
        lambda: torch.set_float32_matmul_precision("medium"),
        lambda: torch.set_float32_matmul_precision("highest"),
    ),
    "mkldnn precision": backend("mkldnn.matmul.fp32_precision", "bf16"),
    "generic precision": backend("fp32_precision", "tf32"),
    "mkldnn off": backend("mkldnn.enabled", False),
    "deterministic": with_undo(
        lambda: torch.use_deterministic_algorithms(True), lambda: torch.use_deterministic_algorithms(False)
    ),
    "anomaly detection": entered(lambda: torch.autograd.set_detect_anomaly(True)),
    "flushed subnormals": with_undo(
        lambda: torch.set_flush_denormal(True), lambda: torch.set_flush_denormal(False)
    ),
    "many threads": with_undo(lambda: torch.set_num_threads(4), lambda: torch.set_num_threads(1)),
    "many BLAS threads": lambda undo: undo.enter_context(ThreadpoolController().limit(limits=4)),
    "seterr raise": entered(lambda: np.errstate(all="raise")),
    "seterr call": entered(lambda: np.errstate(all="call", call=lambda *_: 1 / 0)),
    "numpy buffer": with_undo(lambda: np.setbufsize(16), lambda: np.setbufsize(8192)),
    "numpy printing": entered(lambda: np.printoptions(legacy="1.13", precision=2, threshold=2)),
    "warnings as errors": as_errors,
    "pandas strings": option("future.infer_string", False),
    "pandas storage": option("mode.string_storage", "python"),
    "pandas display": option("display.float_format", "{:.1f}".format),
    "pandas precision": option("display.precision", 1),
    "pandas engine": option("io.parquet.engine", "fastparquet"),
    "pandas numexpr": option("compute.use_numexpr", False),
    "seeds": seeds,
    "plot styles": dark_plots,
}


def settings() -> dict[str, Any]:
    """All that a caller can see of the settings."""
    before = warnings.filters[:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = [
            f"{group}.{name}"
            for group in ("compute", "display", "future", "mode")
            for name in dir(getattr(pd.options, group))
            if name not in ("html", "unicode")
        ]
        options = {name: pd.get_option(name) for name in [*names, "io.parquet.engine"]}
    import matplotlib

    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "precision": (
            torch.backends.fp32_precision,
            torch.backends.mkldnn.matmul.fp32_precision,
            torch.backends.cuda.matmul.fp32_precision,
            torch.backends.mkldnn.enabled,
        ),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomaly": torch.is_anomaly_enabled(),
        "flushing": is_flushing(),
        "threads": torch.get_num_threads(),
        "BLAS threads": [
            info["num_threads"] for info in ThreadpoolController().select(user_api="blas").info()
        ],
        "numpy": (np.geterr(), np.geterrcall(), np.getbufsize(), np.get_printoptions()),
        "warnings": before,
        "pandas": options,
        "random": (
            random.getstate(),
            [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
            torch.get_rng_state().tolist(),
        ),
        "variables": dict(os.environ),
        "style": dict(matplotlib.rcParams),
    }


@pytest.fixture(params=HOSTILE, ids=lambda name: name.replace(" ", "_"))
def hostile(request: pytest.FixtureRequest) -> Iterator[str]:
    with Undo() as undo:
        HOSTILE[request.param](undo)
        yield request.param


@pytest.mark.slow
def test_no_setting_of_the_caller_decides_a_byte_and_all_are_as_they_were(
    undisturbed: dict[str, bytes], tmp_path: Path, hostile: str
) -> None:
    before = settings()
    found = make(tmp_path / "store")
    assert settings() == before
    assert {name for name in undisturbed | found if undisturbed.get(name) != found.get(name)} == set()
    assert [checked.finding for checked in verify(Store(tmp_path / "store")) if checked.finding] == []


def test_between_two_checkpoints_the_caller_has_its_own_settings(tmp_path: Path) -> None:
    from tdw.training.loop import train

    torch.set_default_dtype(torch.float64)
    try:
        with np.errstate(all="raise"):
            for _ in train(CONFIG, store=Store(tmp_path), checkpoints=[0, 1]):
                assert torch.get_default_dtype() == torch.float64
                assert np.geterr()["over"] == "raise"
                torch.rand(1)
            state = torch.get_rng_state()
            steps = train(CONFIG, store=Store(tmp_path), checkpoints=[0, 1, 2])
            next(steps)
            del steps  # given up half-way
            assert torch.get_default_dtype() == torch.float64
            assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_default_dtype(torch.float32)


def test_settings_come_back_when_threads_overlap() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with known_settings():
            inside.set()
            assert go_on.wait(30)

    torch.set_default_dtype(torch.float64)
    try:
        other = threading.Thread(target=work)
        other.start()
        assert inside.wait(30)
        with known_settings():
            assert torch.get_default_dtype() == torch.float32
        assert torch.get_default_dtype() == torch.float32, "the other thread still computes"
        go_on.set()
        other.join()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_settings_come_back_after_a_failure() -> None:
    @under_known_settings
    def fail() -> None:
        raise RuntimeError("as if")

    with np.errstate(all="raise"):
        before = settings()
        with pytest.raises(RuntimeError, match="as if"):
            fail()
        assert settings() == before


def test_a_transformer_lens_model_leaves_nothing_behind_and_asks_nobody(tmp_path: Path) -> None:
    """In a process of its own: what is imported already can set nothing any more."""
    code = f"""
import os, random, socket, sys, warnings
import numpy as np, torch, tdw
from tdw.store import Store
def refuse(*_): raise AssertionError("the network was asked")
socket.socket.connect = refuse
w = tdw.open(Store({str(tmp_path)!r}))
v = w.make("p5_s1_d598_f0.4", [0], analyzers=[])
def state():
    randomness = (torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist())
    return (dict(os.environ), randomness, list(warnings.filters), torch.get_default_dtype(),
            torch.is_grad_enabled(), np.geterr())
before = state()
model = v.at(0).transformer_lens()
assert model(torch.tensor([[1, 2, 5]])).shape == (1, 3, 5)
after = state()
assert after == before, [(a, b) for a, b in zip(before, after) if a != b]
import huggingface_hub.constants
assert not huggingface_hub.constants.HF_HUB_OFFLINE
"""
    names = ("HF_HUB_OFFLINE", "WANDB_MODE", "DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
