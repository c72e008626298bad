"""What `tdw fill` was asked for, resolved against the study: handed to its workers."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig
from tdw.recipes.catalog import catalog_of
from tdw.study import Study

if TYPE_CHECKING:
    from tdw_resources.wanted import WantedAssets

ALL = "*"
"""In place of a variant's key: what is drawn over all variants."""


@dataclass(frozen=True)
class Shard:
    """The share of one task of an array: variant `number` of each `of`, counted from 1."""

    number: int
    of_tasks: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read `3/16`.

        Raises:
            argparse.ArgumentTypeError: no such pair, or a number beyond the second one.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text, re.ASCII)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise ArgumentTypeError(f"{text[:40]!r} is no share: give K/N with K from 1 to N, such as 3/16")
        return cls(int(found[1]), int(found[2]))

    def of(self, variants: Sequence[str]) -> tuple[str, ...]:
        """Its variants; none where there are more tasks than variants."""
        return tuple(variants[self.number - 1 :: self.of_tasks])


@dataclass(frozen=True)
class FillRequest:
    """A fill.

    Attributes:
        study: the study, as JSON values.
        variants: whose cells; empty for a task of an array that has none.
        epochs: which cells; empty: all that the study wants.
        assets: names of the assets to fill; empty: all. What they are made from is filled with them.
        out_of_date: compute cells again whose code, parameters or checkpoint changed.
        comparison: also make what covers all variants.
    """

    study: dict[str, Any]
    store: str
    home: str
    variants: tuple[str, ...]
    epochs: tuple[int, ...] = ()
    assets: tuple[str, ...] = ()
    out_of_date: bool = False
    comparison: bool = True

    def wants(self, name: str) -> bool:
        """Whether an asset is to be filled."""
        return not self.assets or name in self.assets

    @property
    def has_two_passes(self) -> bool:
        """Whether extra epochs are chosen between training to the end of the schedule and all the rest."""
        whole = not self.epochs and self.comparison
        return bool(self.study.get("adaptive")) and whole and self.wants("checkpoint")

    def training(self) -> FillRequest:
        """The part of it that trains."""
        return replace(self, assets=tuple(name for name in ("checkpoint", "history") if self.wants(name)))

    def read_study(self) -> Study:
        """The study itself."""
        return Study.model_validate(self.study, strict=False)

    def wanted(self) -> WantedAssets:
        """The cells that were asked for."""
        from tdw.store import Store
        from tdw_resources.wanted import WantedAssets

        whole = WantedAssets.of(self.read_study()).with_extra(Store(self.store))
        return whole.narrow(variants=self.variants, epochs=self.epochs)


def close_over_inputs(wanted: WantedAssets, names: Iterable[str]) -> tuple[str, ...]:
    """The named assets and all that they are made from.

    Raises:
        BadConfig: a name that is none of the study's assets; lists them.
    """
    known = {product.name: product.inputs for product in wanted.products}
    closed: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in known:
            off = [a for a in catalog_of(wanted.family).analyzers if a.name == name and not a.by_default]
            if off:
                raise BadConfig(f"study {wanted.name} has no asset {name}", off[0].price)
            raise BadConfig(
                f"study {wanted.name} has no asset {name[:80]!r}", f"use one of: {', '.join(known)}"
            )
        if name not in closed:
            closed.add(name)
            waiting += known[name]
    return tuple(name for name in known if name in closed)
