"""When each run reached its family's outcome, and in which group it is: what figures of outcomes show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tdw.drawing.style import short_labels
from tdw.recipes.family import Family, VariantConfig, base_key
from tdw.statistics.survival import Survival, kaplan_meier

ALL = "all variants"


@dataclass(frozen=True)
class Run:
    """One run whose outcome is known: reached at `epoch`, or watched to it without.

    Attributes:
        base: key that its replicates share.
        group: what it is compared by.
    """

    variant: str
    base: str
    group: str
    epoch: float
    reached: bool


@dataclass(frozen=True)
class Spread:
    """The runs of one base variant; a run without the outcome counts with the last epoch watched."""

    label: str
    group: str
    runs: tuple[Run, ...]

    @property
    def epochs(self) -> tuple[float, float, float]:
        """Least, median and greatest epoch."""
        found = [run.epoch for run in self.runs]
        return min(found), float(np.median(found)), max(found)

    @property
    def reached(self) -> int:
        """How many of the runs reached the outcome."""
        return sum(run.reached for run in self.runs)


def grouping_fields(family: Family, configs: Sequence[VariantConfig]) -> list[str]:
    """The fields that groups are made by unless told: those that vary beside seeds and the replicate."""
    return [
        field.name
        for field in family.fields
        if not field.name.endswith("seed")
        and field.name != "replicate"
        and len({getattr(config, field.name, None) for config in configs}) > 1
    ]


def runs_of(
    configs: Sequence[VariantConfig],
    outcomes: Mapping[str, tuple[bool | None, float]],
    *,
    by: Sequence[str],
    chosen: Mapping[str, str] | None = None,
) -> tuple[Run, ...]:
    """The runs whose outcome is known, in the order of the configurations.

    Args:
        configs: of the variants.
        outcomes: key -> whether it was reached, and its epoch or the last one watched.
        by: fields that groups are made by.
        chosen: key -> the group that a person put it in, in place of those.
    """
    found: list[Run] = []
    for config in configs:
        reached, epoch = outcomes.get(config.key, (None, math.nan))
        if reached is None or math.isnan(epoch):
            continue
        of_fields = ", ".join(f"{name} = {getattr(config, name)}" for name in by) or ALL
        group = (chosen or {}).get(config.key, of_fields)
        found.append(Run(config.key, base_key(config), group, epoch, reached))
    return tuple(found)


def by_group(runs: Sequence[Run]) -> dict[str, tuple[Run, ...]]:
    """Group -> its runs, in the order in which groups occur."""
    return {name: tuple(r for r in runs if r.group == name) for name in dict.fromkeys(r.group for r in runs)}


def survival_of(runs: Sequence[Run]) -> Survival:
    """Kaplan and Meier's estimate of those that have not reached the outcome yet."""
    return kaplan_meier([run.epoch for run in runs], [run.reached for run in runs])


def spreads(runs: Sequence[Run]) -> tuple[Spread, ...]:
    """Base variants with their replicates, in the order in which they occur."""
    bases = list(dict.fromkeys(run.base for run in runs))
    labels = short_labels(bases)
    members = {base: tuple(run for run in runs if run.base == base) for base in bases}
    return tuple(Spread(labels[base], found[0].group, found) for base, found in members.items())
