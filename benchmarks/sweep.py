"""How long a sweep's tables, figures and reports take from ready artifacts: 100 variants, 50 checkpoints.

One variant is trained and analyzed. The tables of the others are its own with other numbers (10 % of noise)
and histories that fall at other epochs; one in six never does.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common
import numpy as np
import pandas as pd

from tdw.families import get_family
from tdw.families.modulo_addition_1layer.summaries.learning import grokking
from tdw.making.artifacts import analyze
from tdw.making.comparison import write_comparison
from tdw.making.figures import render
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.recipes.summary import HISTORY, Inputs
from tdw.reports.registry import reports_of
from tdw.store import Address, Store, TableAddress
from tdw.study import Study, load_study
from tdw.training.loop import train

STUDY = Path(__file__).parents[1] / "studies" / "hundred_seeds"
FAMILY = get_family("modulo_addition_1layer")


def main() -> None:
    parser = common.parser(__doc__)
    parser.add_argument("--variants", type=int, default=100, help="at least 12, for some never fall")
    parser.add_argument("--checkpoints", type=int, default=50, help="of each variant")
    options = parser.parse_args()
    study = load_study(STUDY)
    # Not `model_copy`: it would bring along what is cached of all variants.
    fields = {name: getattr(study, name) for name in Study.model_fields}
    study = Study(**fields | {"variants": study.variants[: options.variants]})
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        tables = make_first(store, study, options.checkpoints)
        made = [row("tables of a variant, 100 times", 100 * tables)]
        make_others(store, study, options.checkpoints)
        made += [row(what, timed(work)) for what, work in steps(store, study)]
    total = sum(float(each["CPU s"]) for each in made)
    made.append(row("all", total) | {"target": "at most 60"})
    notes = (
        f"{len(study.variant_keys)} variants of {study.name}, {options.checkpoints} checkpoints. One thread, "
        f"CPU time, each step once, in one process. Load average while it ran: {os.getloadavg()[1]:.1f}."
    )
    environment = common.machine(["numpy", "pandas", "pyarrow", "matplotlib", "plotly", "scipy"])
    common.report("Sweep", made, environment=environment, json_path=options.json, notes=notes)


def row(what: str, seconds: float) -> dict[str, str | float | None]:
    """A line of the table."""
    return {"what": what, "CPU s": seconds, "target": ""}


def timed(work: Callable[[], object]) -> float:
    """CPU seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def make_first(store: Store, study, checkpoints: int) -> float:
    """Train and analyze the first variant; CPU seconds of its tables."""
    config = study.configs[0]
    for _ in train(config, store=store, checkpoints=range(checkpoints), device="cpu"):
        pass
    wanted = dict.fromkeys(study.analyzers, range(checkpoints))
    for result in analyze(store, FAMILY, config, wanted, parameters=study.analyzer_parameters, device="cpu"):
        if result.error:
            raise result.error

    def summaries() -> None:
        for summary in catalog_of(FAMILY).summaries_of(study.analyzers):
            summarize(store, FAMILY, config, summary.name, parameters=study.analyzer_parameters)

    summaries()  # the first one imports
    return timed(summaries)


def make_others(store: Store, study, checkpoints: int) -> None:
    """Tables and a last checkpoint of every variant, the first one's too, from those of the first."""
    names = [summary.name for summary in catalog_of(FAMILY).summaries_of(study.analyzers)]
    first = study.configs[0]
    found = {
        name: store.read_table_with_provenance(TableAddress(FAMILY.name, first.key, name))
        for name in (*names, HISTORY)
    }
    checkpoint = store.read(Address(FAMILY.name, first.key, "checkpoints", checkpoints - 1))
    at = np.linspace(0, study.epochs, checkpoints).round().astype(np.int64)
    at[np.abs(at - study.early_epoch).argmin()] = study.early_epoch
    for place, config in enumerate(study.configs):
        rng = np.random.default_rng(place)
        losses = history(600 + 16 * place if place % 6 else 10_000, study.epochs)
        inputs = Inputs(config, epochs=(), artifacts={}, history=losses)
        for name, (table, provenance) in found.items():
            made = vary(table, at, rng)
            if name == HISTORY:
                made = losses
            elif name == "grokking":
                made = grokking.compute(inputs, grokking.Parameters())
            of = dataclasses.replace(provenance, variant=config.key, variant_fingerprint=config.fingerprint)
            store.write_table(TableAddress(FAMILY.name, config.key, name), made, provenance=of)
        of = dataclasses.replace(
            checkpoint.provenance, variant=config.key, variant_fingerprint=config.fingerprint
        )
        store.write(
            Address(FAMILY.name, config.key, "checkpoints", study.epochs), checkpoint.arrays, provenance=of
        )


def vary(table: pd.DataFrame, at: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """The table at other epochs, its numbers with noise."""
    made = table.copy()
    for name in made.columns[made.dtypes == np.float64]:
        made[name] = made[name] * (1 + 0.1 * rng.standard_normal(len(made)))
    if "epoch" in made:
        made["epoch"] = at[made["epoch"].to_numpy()]
    return made


def history(falls: int, last: int) -> pd.DataFrame:
    """Losses that fall at an epoch."""
    at = np.arange(last + 1)
    test = 10 / (1 + np.exp(np.clip((at - falls) / 40, -60, 60))) + 1e-6
    test[at % 10 != 0] = np.nan
    losses = {"epoch": at, "train_loss": 4 * np.exp(-at / 100) + 1e-7, "test_loss": test}
    return pd.DataFrame({**losses, "test_accuracy": 1 / (1 + test)})


def steps(store: Store, study) -> list[tuple[str, Callable[[], object]]]:
    """What is made over the variants, in its order."""
    about = {"early_epoch": study.early_epoch, "folder": study.folder}
    found: list[tuple[str, Callable[[], object]]] = [
        ("comparison table", lambda: write_comparison(store, FAMILY, study.configs, **about))
    ]
    for plot in catalog_of(FAMILY).plots:
        if plot.scope == "comparison":
            found.append(
                (
                    f"plot {plot.name}",
                    lambda plot=plot: render(
                        plot,
                        store,
                        family=FAMILY,
                        variants=study.variant_keys,
                        order=study.variant_keys,
                        folder=study.folder,
                    ).write(store),
                )
            )
    for report in reports_of(FAMILY):
        found.append(
            (
                report.title.lower(),
                lambda report=report: report.write(
                    store,
                    FAMILY,
                    study.configs,
                    title=report.title,
                    early_epoch=study.early_epoch,
                    last_epoch=study.epochs,
                    study=study,
                ),
            )
        )
    return found


if __name__ == "__main__":
    main()
