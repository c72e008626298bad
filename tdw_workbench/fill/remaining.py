"""What a fill comes down to, found by comparing what it asks for with what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.recipes.catalog import catalog_of
from tdw.recipes.cost import Cost
from tdw.store.layout import STATES
from tdw.training.stretches import plan_stretches
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.fill.time_left import TimeLeft

if TYPE_CHECKING:
    import dagster as dg

    from tdw.inventory.cells import VariantGaps
    from tdw.inventory.plan import Inventory
    from tdw.store import Store
    from tdw_resources.wanted import WantedAssets


@dataclass(frozen=True)
class ToDo:
    """What is to be done of one variant: how many of each, and guessed seconds of one core for all of it."""

    checkpoints: int
    analyses: int
    tables: int
    seconds: float

    @property
    def cells(self) -> int:
        """Checkpoints and analyses."""
        return self.checkpoints + self.analyses


@dataclass(frozen=True)
class RemainingWork:
    """What a fill comes down to.

    Attributes:
        to_do: what that is, of each variant that has anything to do.
        variants: those with anything to do, the longest first, so that no core waits at the end; `ALL` last,
            where something is to be drawn over all variants.
        cells_there, out_of_date: how many cells there are, and how many of them are out of date.
    """

    variants: tuple[str, ...]
    to_do: Mapping[str, ToDo]
    time_left: TimeLeft
    cells_there: int
    out_of_date: int

    @classmethod
    def sum(cls, works: Sequence[RemainingWork]) -> RemainingWork:
        """Of several studies."""
        return cls(
            variants=tuple(dict.fromkeys(variant for work in works for variant in work.variants)),
            to_do={variant: to_do for work in works for variant, to_do in work.to_do.items()},
            time_left=TimeLeft.join(work.time_left for work in works),
            cells_there=sum(work.cells_there for work in works),
            out_of_date=sum(work.out_of_date for work in works),
        )

    @classmethod
    def find(
        cls, request: FillRequest, wanted: WantedAssets, instance: dg.DagsterInstance, store: Store
    ) -> RemainingWork:
        """Compare what is asked for with what is there."""
        from tdw_assets.cells.partitions import with_registered
        from tdw_resources.events.records import inventory_of

        inventory, names = inventory_of(wanted, instance, store), request.assets or None
        found = inventory.gaps()
        made_anew = _wanted(request, wanted, "summarize")
        states = inventory.states_of(found) if made_anew else None
        time_left = TimeLeft()
        to_do: dict[str, ToDo] = {}
        for variant, gaps in found.items():
            checkpoints, analyses, seconds = _cells(request, inventory, gaps)
            tables = inventory.task("summarize", gaps, names=names, states=states)
            # Whatever is trained or analyzed makes all tables and plots again.
            due = made_anew if checkpoints or analyses else tables.size if tables else 0
            for stage, taken in {**seconds, "summarize": due * Cost.table}.items():
                if taken:
                    time_left.plan(variant, stage, taken)
            lost = gaps.history is None and gaps.checkpoint.recorded and request.wants("history")
            if checkpoints or analyses or due or lost:
                whole = sum(seconds.values()) + due * Cost.table
                to_do[variant] = ToDo(checkpoints, analyses, due, whole)
        variants = sorted(to_do, key=lambda variant: -to_do[variant].seconds)
        of_study = inventory_of(with_registered(wanted, instance), instance, store)
        drawn = _wanted(request, wanted, "compare")
        if request.comparison and drawn and (variants or of_study.task("compare", names=names)):
            time_left.plan(ALL, "compare", drawn * Cost.table)
            variants.append(ALL)
        cells = [asset for gaps in found.values() for asset in gaps.cells.values()]
        return cls(
            variants=tuple(variants),
            to_do=to_do,
            time_left=time_left,
            cells_there=sum(len(asset.recorded.keys() & wanted.epoch_set) for asset in cells),
            out_of_date=sum(len(asset.out_of_date) for asset in cells),
        )


def _wanted(request: FillRequest, wanted: WantedAssets, stage: str) -> int:
    return sum(product.stage == stage and request.wants(product.name) for product in wanted.products)


def _cells(
    request: FillRequest, inventory: Inventory, gaps: VariantGaps
) -> tuple[int, int, Mapping[str, float]]:
    """Checkpoints and analyses to be made of a variant, and stage -> guessed seconds for them."""
    family = inventory.wanted.family
    cost = family.cost(family.parse_variant(gaps.variant))
    train = gaps.to_train(out_of_date=request.out_of_date) if request.wants("checkpoint") else ()
    states = inventory.store.epochs(family.name, gaps.variant, STATES)
    steps = sum(stretch.steps for stretch in plan_stretches(((e, e) for e in train), states))
    to_come = {*train, *gaps.checkpoint.recorded}
    cells = {
        name: len(asset.to_fill(out_of_date=request.out_of_date) & to_come)
        for name, asset in gaps.analyzers.items()
        if request.wants(name)
    }
    catalog, parameters = catalog_of(family), inventory.wanted.parameters
    analysis = sum(n * catalog.cell_seconds(name, cost, parameters) for name, n in cells.items())
    seconds = {"train": steps * cost.step + len(train) * cost.checkpoint, "analyze": analysis}
    return len(train), sum(cells.values()), seconds
