"""How much work is left, in one currency, so that one "time left" can be given for all of it.

The unit is a training step's cost times p². Analysis of a checkpoint costs about as much as a dozen steps;
what was measured while working replaces that guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tdw.training.plan import plan_stretches

if TYPE_CHECKING:
    from tdw_assets.gaps import VariantGaps
    from tdw_assets.grid import Grid

_STEPS_A_CHECKPOINT = 12.0
_FIXED = 1.0


@dataclass
class Effort:
    """Work left by (variant, stage), in units, updated as stages go on.

    Attributes:
        total: units at the beginning.
        left: units left of each stage.
    """

    left: dict[tuple[str, str], float] = field(default_factory=dict)
    total: float = 0.0
    _whole: dict[tuple[str, str], float] = field(default_factory=dict)

    def plan(self, variant: str, stage: str, units: float) -> None:
        """A stage will take so much."""
        self._whole[variant, stage] = self.left[variant, stage] = units
        self.total += units

    def advance(self, variant: str, stage: str, fraction: float) -> None:
        """A stage is so far (0-1)."""
        if (variant, stage) in self.left:
            self.left[variant, stage] = self._whole[variant, stage] * (1 - min(1.0, max(0.0, fraction)))

    def finish(self, variant: str, stage: str | None = None) -> None:
        """A stage, or all of a variant's, is over."""
        for key in self.left:
            if key[0] == variant and stage in (None, key[1]):
                self.left[key] = 0.0

    @property
    def done_fraction(self) -> float:
        """0 to 1."""
        return 1 - sum(self.left.values()) / self.total if self.total else 1.0

    def seconds_left(self, elapsed: float) -> float | None:
        """Extrapolated from the work done in `elapsed` seconds; None while hardly any is."""
        done = self.done_fraction
        return elapsed * (1 - done) / done if done > 0.002 else None


def size_of(
    grid: Grid, gaps: VariantGaps, *, states: Iterable[int], out_of_date: bool = True
) -> Mapping[str, float]:
    """Stage -> units of what is missing of a variant.

    Args:
        states: epochs of its saved states: training goes on from the nearest.
    """
    config = grid.family.parse_variant(gaps.variant)
    pairs = float(getattr(config, "p", 1)) ** 2
    train = gaps.to_train(out_of_date=out_of_date)
    steps = sum(stretch.steps for stretch in plan_stretches(((e, e) for e in train), list(states)))
    to_come = {*train, *gaps.checkpoint.recorded}
    cells = sum(
        len(asset.to_fill(out_of_date=out_of_date) & to_come) for asset in gaps.analyzers.values()
    ) / max(1, len(gaps.analyzers))
    return {
        "train": steps * pairs + _FIXED * bool(train),
        "analyze": cells * _STEPS_A_CHECKPOINT * pairs,
    }
