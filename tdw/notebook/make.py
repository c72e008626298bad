"""From a variant's key to its tables without Dagster: for notebooks, scripts and tests.

What is there already is taken as it is, so calling it twice costs nothing. A store that a workbench also
looks after stays sound: the same locks are held, and `tdw fill` or the sensor records what was made here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from tdw.errors import CellsFailed
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family, VariantConfig

if TYPE_CHECKING:
    from tdw.store import Store


@under_known_settings
def make_variant(
    store: Store,
    family: Family,
    config: VariantConfig,
    checkpoints: Iterable[int | str],
    *,
    analyzers: Collection[str] | None = None,
    device: str = "auto",
) -> None:
    """Train, analyze and summarize a variant, as far as it is not done.

    Args:
        store: where everything goes.
        family: of the variant.
        config: the variant's configuration.
        checkpoints: epochs, or ranges such as "0:3000:100".
        analyzers: names; None for all of the family that have something to say of the variant.
        device: "auto", "cpu" or "cuda".

    Raises:
        BadConfig: an epoch, an analyzer or a setting that can't be used.
        CellsFailed: some cells could not be computed; what could is committed.
        TrainingDiverged, CannotReproduce, FingerprintMismatch, StoreError: see `train`.
    """
    from tdw.inventory.plan import Inventory
    from tdw.inventory.records import HeaderRecords
    from tdw.inventory.wanted import Wanted
    from tdw.making.artifacts import analyze
    from tdw.making.tables import summarize
    from tdw.recipes.catalog import catalog_of
    from tdw.training.loop import train

    catalog = catalog_of(family)
    catalog.require_suited(analyzers or (), config)
    names = [a.name for a in catalog.in_order(catalog.suited([config]) if analyzers is None else analyzers)]
    epochs = [done.epoch for done in train(config, store=store, checkpoints=checkpoints, device=device)]
    with store.lock(family.name, config.key, "analyze_cells"):
        wanted = Wanted.of_variant(family, config, epochs=epochs, analyzers=names)
        cells = Inventory(wanted, HeaderRecords(wanted, store), store).gaps_of(config.key).to_analyze()
        results = list(analyze(store, family, config, cells, device=device)) if cells else []
    failed = [result for result in results if result.error is not None]
    if failed:
        lines = "\n  ".join(f"{r.analyzer}, epoch {r.epoch}: {r.error}" for r in failed[:5])
        raise CellsFailed(
            f"{len(failed)} of {len(results)} cells of {config.key} failed:\n  {lines}",
            "correct the cause and call it again: what is done is kept",
        )
    with store.lock(family.name, config.key, "summarize"):
        for summary in catalog.summaries_of(names):
            summarize(store, family, config, summary.name)
