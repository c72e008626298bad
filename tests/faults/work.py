"""The work that is disturbed: a tiny study, carried out by the library alone or as `tdw fill`'s worker does.

Both forms do what is missing, look at nothing but the store (and the event log), and can be started again
after any death. What they give undisturbed is the reference that everything is compared with, byte for byte.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_variable] = "1"

from tdw.families import get_family  # noqa: E402
from tdw.inventory.plan import Inventory  # noqa: E402
from tdw.inventory.records import HeaderRecords  # noqa: E402
from tdw.inventory.wanted import Wanted  # noqa: E402
from tdw.recipes.catalog import catalog_of  # noqa: E402
from tdw.store import Store, TableAddress  # noqa: E402
from tdw.study import Study, parse_study  # noqa: E402

FAMILY = get_family("modulo_addition_1layer")
VARIANTS = ("p5_s1_d598", "p7_s2_d598")
EPOCHS = (0, 3, 6, 9, 12)
ANALYZERS = ("dominant_frequencies", "neuron_activations", "coarseness", "coarseness_stats")
SUMMARIES = ("coarseness", "grokking")
PLOTS = ("mean_coarseness", "training_curves")


def study(**changes: Any) -> Study:
    """Two variants, five checkpoints each, states between the checkpoints."""
    values: dict[str, Any] = {
        "name": "faults",
        "variants": list(VARIANTS),
        "epochs": EPOCHS[-1],
        "checkpoints": list(EPOCHS),
        "analyzers": list(ANALYZERS),
        "training": {"state_every": 5, "test_every": 2, "device": "cpu"},
    }
    return parse_study({**values, **changes})


def fill_by_library(root: Path, variant: str = VARIANTS[0]) -> None:
    """Train, analyze, summarize and plot what is missing of a variant, without Dagster."""
    from tdw.making.artifacts import analyze
    from tdw.making.figures import render
    from tdw.making.tables import summarize
    from tdw.training.loop import train

    store, config = Store(root), FAMILY.parse_variant(variant)
    settings = study().training
    for _ in train(
        config,
        store=store,
        checkpoints=EPOCHS,
        device="cpu",
        state_every=settings.state_every,
        test_every=settings.test_every,
    ):
        pass
    wanted = Wanted.of_variant(FAMILY, config, epochs=EPOCHS, analyzers=ANALYZERS)
    cells = Inventory(wanted, HeaderRecords(wanted, store), store).gaps_of(variant).to_analyze()
    for done in analyze(store, FAMILY, config, cells, device="cpu"):
        if done.error is not None:
            raise done.error
    for name in SUMMARIES:
        if not store.exists(TableAddress(FAMILY.name, variant, name)):
            summarize(store, FAMILY, config, name)
    for name in PLOTS:
        if not (store.document_folder(FAMILY.name, variant, name) / "manifest.json").exists():
            render(catalog_of(FAMILY).plot(name), store, family=FAMILY, variants=[variant]).write(store)


@dataclass(frozen=True)
class Tree:
    """The committed files of a store.

    Attributes:
        digests: path below the root -> SHA-256 of the bytes.
    """

    digests: dict[str, str]

    @classmethod
    def of(cls, root: Path) -> Tree:
        """Every file that a reader may come across: none of Dagster's, no locks, no temporary ones."""
        digests: dict[str, str] = {}
        for path in root.rglob("*"):
            relative = path.relative_to(root)
            hidden = any(part.startswith(".") for part in relative.parts)
            if not hidden and path.suffix != ".lock" and path.is_file():
                digests[str(relative)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return cls(digests)

    def differs_from(self, other: Tree) -> list[str]:
        """Paths that only one has, or that differ."""
        paths = self.digests.keys() | other.digests.keys()
        return sorted(path for path in paths if self.digests.get(path) != other.digests.get(path))


HISTORY = "/history.parquet"
"""The one file that is committed several times with more in it: its bytes are final only at the end."""
