"""The grid of cells that a study spans: variants x epochs, and the version that every cell should have."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import dagster as dg

from tdw.errors import BadConfig
from tdw.families import Family
from tdw.recipes.catalog import catalog_of
from tdw.store.fingerprints import fingerprint_json, short
from tdw.store.layout import format_epoch
from tdw.study import Study
from tdw.training.environment import code_version

_CELL = re.compile(r"([0-9]{5,12})\|(.+)", re.DOTALL)


@dataclass(frozen=True)
class Grid:
    """A study as the assets see it.

    Attributes:
        name: of the study.
        variants: their keys. A code location reads more of them from Dagster; see `partitions`.
        epochs: of the cells, ascending: the scheduled ones and the extra ones.
        analyzers: names, each after those it requires.
        study: the study itself: parameters, rules, training settings.
        extra: epochs that its adaptive rule has added; see `adaptive`.
    """

    name: str
    family: Family
    variants: tuple[str, ...]
    epochs: tuple[int, ...]
    analyzers: tuple[str, ...]
    study: Study
    extra: tuple[int, ...] = ()

    @classmethod
    def of(cls, study: Study) -> Grid:
        """The grid that a study file describes."""
        catalog = catalog_of(study.family_declaration)
        return cls(
            name=study.name,
            family=study.family_declaration,
            variants=study.variant_keys,
            epochs=study.epoch_list,
            analyzers=tuple(analyzer.name for analyzer in catalog.in_order(study.analyzers)),
            study=study,
        )

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Analyzer name -> its parameters."""
        return self.study.analyzer_parameters

    @cached_property
    def epoch_set(self) -> frozenset[int]:
        """The scheduled epochs."""
        return frozenset(self.epochs)

    @cached_property
    def schedule(self) -> tuple[int, ...]:
        """All epochs that the study wants, ascending, however few of them this grid holds."""
        return tuple(sorted({*self.study.epoch_list, *self.extra}))

    def extend(self, extra: Iterable[int]) -> Grid:
        """The grid of all wanted cells, with these extra epochs."""
        wider = dataclasses.replace(self, extra=tuple(extra))
        return dataclasses.replace(wider, epochs=wider.schedule)

    def narrow(self, *, variants: Iterable[str] = (), epochs: Iterable[int] = ()) -> Grid:
        """The cells of some variants and epochs only, whether the study lists them or not.

        Raises:
            BadConfig: a variant key that the family does not know.
        """
        for key in variants:
            self.family.parse_variant(key)
        return dataclasses.replace(
            self,
            variants=tuple(dict.fromkeys(variants)) or self.variants,
            epochs=tuple(sorted(set(epochs))) or self.epochs,
        )

    # Names in Dagster: all of them begin with the study's

    @property
    def slug(self) -> str:
        """The study's name as Dagster takes it."""
        return self.study.slug

    def key(self, *parts: str) -> dg.AssetKey:
        """An asset key."""
        return dg.AssetKey([self.slug, *parts])

    def named(self, what: str) -> str:
        """The name of a job, an op, a sensor or a schedule."""
        return f"{self.slug}_{what}"

    def group(self, what: str) -> str:
        """The name of a group of assets."""
        return f"{self.slug}/{what}"

    @property
    def checkpoint(self) -> dg.AssetKey:
        """The checkpoints' asset."""
        return self.key("checkpoint")

    @property
    def history(self) -> dg.AssetKey:
        """The training histories' asset."""
        return self.key("history")

    # What an up-to-date cell was made by

    def checkpoint_spec(self, variant: str) -> str:
        """Variant's fingerprint and training code."""
        return _checkpoint_spec(self.family, variant)

    @cached_property
    def analyzer_specs(self) -> dict[str, str]:
        """Analyzer -> spec version: code and parameters, those of required analyzers included."""
        return {name: catalog_of(self.family).spec_version(name, self.parameters) for name in self.analyzers}


@cache
def _checkpoint_spec(family: Family, variant: str) -> str:
    config = family.parse_variant(variant)
    return short(fingerprint_json([config.fingerprint, code_version(family)]))


def cell_key(variant: str, epoch: int) -> str:
    """Partition key of a cell: Dagster orders the dimensions by name, so the epoch comes first."""
    return f"{format_epoch(epoch)}|{variant}"


def read_cell(key: str) -> tuple[str, int] | None:
    """(variant, epoch) of a cell's partition key; None for another key. Events may tell of any partition."""
    match = _CELL.fullmatch(key)
    return (match[2], int(match[1])) if match else None


def variant_in(partition: str) -> str:
    """The variant of a cell's partition key or of a variant's own."""
    cell = read_cell(partition)
    return cell[0] if cell else partition


def split_key(key: str) -> tuple[str, int]:
    """(variant, epoch) of a cell's partition key.

    Raises:
        BadConfig: not such a key.
    """
    cell = read_cell(key)
    if cell is None:
        raise BadConfig(
            f"{key[:80]!r} is not a cell's key", "write <epoch>|<variant>, such as 00500|p113_s999_d598"
        )
    return cell


def by_variant(keys: Iterable[str]) -> dict[str, list[int]]:
    """Cell keys as variant -> epochs, ascending."""
    found: dict[str, set[int]] = {}
    for key in keys:
        variant, epoch = split_key(key)
        found.setdefault(variant, set()).add(epoch)
    return {variant: sorted(epochs) for variant, epochs in found.items()}
