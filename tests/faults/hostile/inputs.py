"""Inputs that mean harm: made by hand or by hypothesis, with a right checksum where a file has one.

A loader may refuse with an error of ours, or take a value that keeps its promises. It may not crash, run
code, or read or write outside of the store.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tdw.store import Store

from ..kills.killing import run_child
from ..outcome import Outcome, Run
from ..work import fill_by_library
from .archives import fuzz_archive, fuzz_weights
from .files import fuzz_artifact, fuzz_bundle, fuzz_table
from .texts import fuzz_keys, fuzz_study, fuzz_verify

HELD = "an error of ours or a sound value; no code run, nothing read or written outside of the store"
FUZZERS = {
    "study files": fuzz_study,
    "variant keys, epochs and names": fuzz_keys,
    "checkpoints, states and artifacts with a right checksum": fuzz_artifact,
    "tables with a right checksum": fuzz_table,
    "plot bundles with a right checksum": fuzz_bundle,
    "foreign files in a store": fuzz_verify,
    "bundles for `tdw import` with a right checksum": fuzz_archive,
    "weights of other people": fuzz_weights,
}
SLOW = (
    "foreign files in a store",
    "bundles for `tdw import` with a right checksum",
    "weights of other people",
)
"""These look at a whole store for every example."""


@contextmanager
def filled_store() -> Iterator[Store]:
    """A small store to be abused."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        ended = run_child(lambda: fill_by_library(root), root)
        assert ended.code == 0, ended.words
        yield Store(root)


def hostile_inputs(run: Run) -> list[Outcome]:
    """Every loader in turn, until the time is up."""
    outcomes = {name: Outcome(f"hostile {name} (hypothesis)", HELD) for name in FUZZERS}
    with filled_store() as store:
        round_ = 0
        while round_ == 0 or not run.over:
            for name, fuzz in FUZZERS.items():
                examples = 20 if name in SLOW else 200
                try:
                    outcomes[name].injected += fuzz(store, examples=examples, seed=run.random.getrandbits(32))
                except Exception as error:
                    outcomes[name].lose(f"{type(error).__name__}: {error}")
            round_ += 1
    return list(outcomes.values())
