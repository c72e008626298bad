"""How much work is left, in one currency, so that one "time left" can be given for all of it.

The currency is seconds of one core, guessed by the family (`recipes.cost`). Only their proportions matter,
since the time left is extrapolated from the time that it took so far.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tdw.recipes.cost import Cost
from tdw.store.layout import STATES
from tdw.training.stretches import plan_stretches
from tdw_workbench.fill.request import ALL, FillRequest
from tdw_workbench.terminal import overall

if TYPE_CHECKING:
    import dagster as dg

    from tdw.inventory.cells import VariantGaps
    from tdw.inventory.plan import Inventory
    from tdw.store import Store
    from tdw_assets.cells.wanted import WantedAssets

_SOON = 0.01


@dataclass
class TimeLeft:
    """Work left by (variant, stage), in guessed seconds, updated as stages go on.

    Attributes:
        left: seconds left of each stage.
        total: seconds at the beginning.
        started: monotonic time.
    """

    left: dict[tuple[str, str], float] = field(default_factory=dict)
    total: float = 0.0
    started: float = field(default_factory=time.monotonic)
    _whole: dict[tuple[str, str], float] = field(default_factory=dict)

    def plan(self, variant: str, stage: str, seconds: float) -> None:
        """A stage will take so much."""
        self._whole[variant, stage] = self.left[variant, stage] = seconds
        self.total += seconds

    def advance(self, variant: str, stage: str, fraction: float) -> None:
        """A stage is so far (0-1)."""
        if (variant, stage) in self.left:
            self.left[variant, stage] = self._whole[variant, stage] * (1 - min(1.0, max(0.0, fraction)))

    def finish(self, variant: str, stage: str | None = None) -> None:
        """A stage, or all of a variant's, is over."""
        for key in self.left:
            if key[0] == variant and stage in (None, key[1]):
                self.left[key] = 0.0

    @classmethod
    def join(cls, times: Iterable[TimeLeft]) -> TimeLeft:
        """Of several studies. A stage of a variant that some share is done once, and then adopted."""
        found = cls()
        for time_left in times:
            for key, seconds in time_left.left.items():
                found._whole[key] = found.left[key] = max(seconds, found.left.get(key, 0.0))
        found.total = sum(found.left.values())
        return found

    @property
    def done_fraction(self) -> float:
        """0 to 1."""
        return 1 - sum(self.left.values()) / self.total if self.total else 1.0

    def line(self) -> str:
        """How far all of it is, with the time left, extrapolated from the time that it took so far."""
        done, elapsed = self.done_fraction, time.monotonic() - self.started
        left = elapsed * (1 - done) / done if done > _SOON else None
        return overall(done, left, elapsed)


@dataclass(frozen=True)
class RemainingWork:
    """What a fill comes down to.

    Attributes:
        variants: those with anything to do, the longest first, so that no core waits at the end; `ALL` last,
            where something is to be drawn over all variants.
        cells_there, out_of_date: how many cells there are, and how many of them are out of date.
    """

    variants: tuple[str, ...]
    time_left: TimeLeft
    cells_there: int
    out_of_date: int

    @classmethod
    def sum(cls, works: Sequence[RemainingWork]) -> RemainingWork:
        """Of several studies."""
        return cls(
            variants=tuple(dict.fromkeys(variant for work in works for variant in work.variants)),
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
        from tdw_assets.recording.event_records import inventory_of

        inventory, names = inventory_of(wanted, instance, store), request.assets or None
        found = inventory.gaps()
        states = inventory.states_of(found)
        made_anew = _wanted(request, wanted, "summarize")
        time_left = TimeLeft()
        sizes: dict[str, float] = {}
        for variant, gaps in found.items():
            for stage, seconds in _size(request, inventory, gaps).items():
                if seconds:
                    time_left.plan(variant, stage, seconds)
                    sizes[variant] = sizes.get(variant, 0.0) + seconds
            tables = inventory.task("summarize", gaps, names=names, states=states)
            if tables or sizes.get(variant):
                # Whatever is trained or analyzed makes all tables and plots again.
                due = tables.size if tables and not sizes.get(variant) else made_anew
                time_left.plan(variant, "summarize", due * Cost.table)
                sizes[variant] = sizes.get(variant, 0.0) + due * Cost.table
            elif gaps.history is None and gaps.checkpoint.recorded and request.wants("history"):
                sizes[variant] = 0.0
        variants = sorted(sizes, key=lambda variant: -sizes[variant])
        whole = inventory_of(with_registered(wanted, instance), instance, store)
        drawn = _wanted(request, wanted, "compare")
        if request.comparison and drawn and (variants or whole.task("compare", names=names)):
            time_left.plan(ALL, "compare", drawn * Cost.table)
            variants.append(ALL)
        cells = [asset for gaps in found.values() for asset in gaps.cells.values()]
        return cls(
            variants=tuple(variants),
            time_left=time_left,
            cells_there=sum(len(asset.recorded) for asset in cells),
            out_of_date=sum(len(asset.out_of_date) for asset in cells),
        )


def _wanted(request: FillRequest, wanted: WantedAssets, stage: str) -> int:
    return sum(product.stage == stage and request.wants(product.name) for product in wanted.products)


def _size(request: FillRequest, inventory: Inventory, gaps: VariantGaps) -> Mapping[str, float]:
    """Stage -> guessed seconds of what is to be done of a variant."""
    family = inventory.wanted.family
    cost = family.cost(family.parse_variant(gaps.variant))
    train = gaps.to_train(out_of_date=request.out_of_date) if request.wants("checkpoint") else ()
    states = inventory.store.epochs(family.name, gaps.variant, STATES)
    steps = sum(stretch.steps for stretch in plan_stretches(((e, e) for e in train), states))
    to_come = {*train, *gaps.checkpoint.recorded}
    drawn = [asset for name, asset in gaps.analyzers.items() if request.wants(name)]
    cells = sum(len(asset.to_fill(out_of_date=request.out_of_date) & to_come) for asset in drawn)
    return {
        "train": steps * cost.step + len(train) * cost.checkpoint,
        "analyze": cells * cost.cell,
    }
