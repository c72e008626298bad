"""What a new variant of a study, or more checkpoints of one, will take, before they are started."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tdw.families.stored import stored_variants
from tdw.inventory.products import CHECKPOINT
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import VariantConfig
from tdw.store import Address
from tdw.study import Study
from tdw_workbench.web.data.caching import stamp
from tdw_workbench.web.data.densify import MoreCheckpoints
from tdw_workbench.web.data.store_cache import StoreCache

_SAMPLES = 3
_STATE = 3  # weights, and two moments of each


@dataclass(frozen=True)
class Estimate:
    """A guess, good to a factor of a few.

    Attributes:
        seconds: of one core.
        nbytes: on disk.
        like: the variant whose analyses were measured; "" where there is none, and they are not counted.
    """

    seconds: float
    nbytes: int
    like: str


def estimate(library: StoreCache, study: Study, config: VariantConfig) -> Estimate:
    """Training, analysis, tables and plots of one variant."""
    family, epochs = study.family_declaration, library.wanted_epochs(study)
    wanted, cost, catalog = library.wanted(study), family.cost(config), catalog_of(family)
    tables = sum(product.stage == "summarize" for product in wanted.products)
    seconds = study.epochs * cost.step + tables * cost.table
    cells = sum(catalog.cell_seconds(name, cost, wanted.parameters) for name in wanted.analyzers)
    seconds += len(epochs) * (cost.checkpoint + cells)
    weights = _weights(config)
    states = math.ceil(study.epochs / study.training.state_every)
    nbytes, like = weights * (len(epochs) + _STATE * states), ""
    measured = _most_alike(library, study, weights)
    if measured is not None:
        like, per_epoch = measured
        nbytes += per_epoch * len(epochs)
    return Estimate(seconds, nbytes, like)


def estimate_more(library: StoreCache, study: Study, more: MoreCheckpoints) -> Estimate:
    """Replay and analysis of more checkpoints; the variant's tables and plots, made anew, are left out."""
    family = study.family_declaration
    config = family.parse_variant(more.variant)
    cost, number = family.cost(config), len(more.checkpoints)
    seconds = more.steps * cost.step + number * cost.checkpoint
    nbytes = number * _weights(config)
    parameters = library.wanted(study).parameters
    for name, epochs in more.cells.items():
        if name != CHECKPOINT:
            seconds += len(epochs) * catalog_of(family).cell_seconds(name, cost, parameters)
            nbytes += len(epochs) * _mean_size(library, family.name, more.variant, name)
    return Estimate(seconds, nbytes, more.variant)


def _weights(config: VariantConfig) -> int:
    return 4 * sum(math.prod(shape) for shape in config.weight_shapes.values())


def _most_alike(library: StoreCache, study: Study, weights: int) -> tuple[str, int] | None:
    """The analyzed variant whose weights are nearest in size, and the bytes of its analyses per epoch."""
    family = study.family_declaration
    names = catalog_of(family).analyzer_names
    found: list[tuple[int, str, int]] = []
    for variant in stored_variants(library.store, family):
        per_epoch = sum(_mean_size(library, family.name, variant, name) for name in names)
        if per_epoch:
            distance = abs(_weights(family.parse_variant(variant)) - weights)
            found.append((distance, variant, per_epoch))
    return min(found)[1:] if found else None


def _mean_size(library: StoreCache, family: str, variant: str, kind: str) -> int:
    epochs = library.epochs(family, variant, kind)
    some = epochs[:: max(1, len(epochs) // _SAMPLES)][:_SAMPLES]
    sizes = [stamp(library.store.path(Address(family, variant, kind, epoch))) for epoch in some]
    known = [size[1] for size in sizes if size]
    return sum(known) // len(known) if known else 0
