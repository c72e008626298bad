"""The states of tables, figures and reports: what each would be made from now, and what it was made from.

The versions of the inputs are read before any file is, and their hash is recorded with the result: an input
that changes meanwhile makes the result out of date, never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from tdw.inventory.cells import VariantGaps
from tdw.inventory.products import Product
from tdw.inventory.records import Records
from tdw.inventory.versions import DataVersion, hash_versions
from tdw.inventory.wanted import Wanted
from tdw.store import Store
from tdw.training.records import HISTORY

State = Literal["done", "missing", "out_of_date", "waiting"]


@dataclass(frozen=True)
class ProductState:
    """The state of a table, figure or report of a variant (or, with variant "", of the study).

    Attributes:
        input: hash of its inputs as they are recorded now: what it would be made from.
        state: "waiting" when something that it needs is not there at all.
        stale_inputs: inputs that are themselves out of date, which makes it out of date too.
    """

    product: Product
    variant: str
    input: str
    state: State
    stale_inputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProductStates:
    """The states of products.

    Attributes:
        states: one for each product and variant, each after its inputs.
        marks: variant -> product name -> hash of what is recorded of it; of every product that is recorded.
    """

    states: tuple[ProductState, ...]
    versions: Mapping[str, Mapping[str, str]]

    @cached_property
    def by_variant(self) -> Mapping[str, tuple[ProductState, ...]]:
        """Variant, or "" for the study -> its states, each after its inputs."""
        found: dict[str, list[ProductState]] = {}
        for state in self.states:
            found.setdefault(state.variant, []).append(state)
        return {variant: tuple(some) for variant, some in found.items()}

    def of(self, product: Product, variant: str) -> ProductState:
        """The state of one of them."""
        return next(state for state in self.by_variant[variant] if state.product.name == product.name)


@dataclass
class _Known:
    """What is known of one variant, or of the study, when a product is judged.

    Attributes:
        marks: of what is recorded.
        stale: inputs that are out of date.
        coming: inputs that can be made, whether they are there or not.
    """

    versions: dict[str, str]
    stale: set[str] = field(default_factory=set[str])
    coming: set[str] = field(default_factory=set[str])

    def judge(self, product: Product, variant: str, recorded: DataVersion | None) -> ProductState:
        """Compare what is recorded (None: nothing, or no file) with what would be made now, and note it."""
        inputs = hash_versions(
            {name: self.versions[name] for name in product.inputs if name in self.versions}
        )
        behind = tuple(name for name in product.inputs if name in self.stale)
        there = [name for name in product.inputs if name in self.versions or name in self.coming]
        if not there or any(name not in there for name in product.needs):
            state: State = "waiting"
        elif recorded is None:
            state = "missing"
        elif behind or (recorded.spec, recorded.input) != (product.spec, inputs):
            state = "out_of_date"
        else:
            state = "done"
        if state != "waiting":
            self.coming.add(product.name)
        if recorded is not None:
            self.versions[product.name] = str(recorded)
        if state == "out_of_date":
            self.stale.add(product.name)
        return ProductState(product, variant, inputs, state, behind)


def find_states(
    wanted: Wanted, records: Records, store: Store, gaps: Mapping[str, VariantGaps]
) -> ProductStates:
    """The state of every table and figure of these variants."""
    known = {
        variant: _Known(
            recorded_versions(of), {name for name, cells in of.cells.items() if cells.out_of_date}
        )
        for variant, of in gaps.items()
    }
    return _judge(wanted, store, "summarize", known, lambda name: records.by_variant(name, list(gaps)))


def find_study_states(wanted: Wanted, records: Records, store: Store) -> ProductStates:
    """The state of what covers all variants. It is made from their tables alone, so no cell is looked at."""
    of_all: dict[str, str] = {}
    for product in wanted.products:
        if product.scope == "variant":
            versions = records.by_variant(product.name, wanted.variants)
            if versions:
                of_all[product.name] = hash_versions({v: str(version) for v, version in versions.items()})

    def read(name: str) -> dict[str, DataVersion]:
        version = records.of_study(name)
        return {"": version} if version else {}

    return _judge(wanted, store, "compare", {"": _Known(of_all)}, read)


def recorded_versions(gaps: VariantGaps) -> dict[str, str]:
    """Hash of the recorded versions of a variant's products; those without a record are left out."""
    versions = {
        name: hash_versions({str(epoch): str(version) for epoch, version in cells.recorded.items()})
        for name, cells in gaps.cells.items()
        if cells.recorded
    }
    if gaps.history is not None:
        versions[HISTORY] = str(gaps.history)
    return versions


def _judge(
    wanted: Wanted,
    store: Store,
    stage: str,
    known: Mapping[str, _Known],
    read: Callable[[str], Mapping[str, DataVersion]],
) -> ProductStates:
    states: list[ProductState] = []
    for product in wanted.products:
        if product.stage != stage:
            continue
        recorded = read(product.name)
        for variant, about in known.items():
            there = product.exists(wanted.family.name, store, variant or wanted.study.folder)
            states.append(about.judge(product, variant, recorded.get(variant) if there else None))
    return ProductStates(tuple(states), {variant: about.versions for variant, about in known.items()})
