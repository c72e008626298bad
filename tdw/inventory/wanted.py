"""The cells that a study wants: variants x epochs, and the spec version that each should have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Self

from tdw.errors import StoreError
from tdw.families import Family
from tdw.inventory.products import Product, products_of
from tdw.recipes.catalog import ParametersByName, catalog_of
from tdw.recipes.family import VariantConfig
from tdw.store import Store
from tdw.store.fingerprints import fingerprint_json, short
from tdw.study import Study
from tdw.study.extra_epochs import read_choice
from tdw.training.environment import code_version


@dataclass(frozen=True)
class Wanted:
    """A study as wanted cells and products.

    Attributes:
        name: of the study.
        variants: their keys. A code location reads more of them from Dagster.
        epochs: of the cells, ascending: the scheduled ones and the extra ones.
        analyzers: names, each after those it requires.
        parameters: analyzer name -> its parameters.
        study: the study itself: rules, training settings.
        extra: epochs that its adaptive rule has added.
    """

    name: str
    family: Family
    variants: tuple[str, ...]
    epochs: tuple[int, ...]
    analyzers: tuple[str, ...]
    parameters: ParametersByName
    study: Study
    extra: tuple[int, ...] = ()

    @classmethod
    def of(cls, study: Study) -> Self:
        """What a study file asks for."""
        catalog = catalog_of(study.family_declaration)
        return cls(
            name=study.name,
            family=study.family_declaration,
            variants=study.variant_keys,
            epochs=study.epoch_list,
            analyzers=tuple(analyzer.name for analyzer in catalog.in_order(study.analyzers)),
            parameters=study.analyzer_parameters,
            study=study,
        )

    @classmethod
    def of_variant(
        cls,
        family: Family,
        config: VariantConfig,
        *,
        epochs: Iterable[int],
        analyzers: Iterable[str],
        parameters: ParametersByName | None = None,
    ) -> Self:
        """Some cells of one variant, without a study file."""
        listed = tuple(sorted(epochs))
        study = Study(
            name=config.key,
            family=family.name,
            variants=(config.key,),
            epochs=max(listed, default=0),
            checkpoints=listed,
            analyzers={},
        )
        ordered = tuple(analyzer.name for analyzer in catalog_of(family).in_order(analyzers))
        return cls(config.key, family, (config.key,), listed, ordered, parameters or {}, study)

    @cached_property
    def epoch_set(self) -> frozenset[int]:
        """The wanted epochs."""
        return frozenset(self.epochs)

    @cached_property
    def schedule(self) -> tuple[int, ...]:
        """All epochs that the study wants, ascending, however few of them are left after `narrow`."""
        return tuple(sorted({*self.study.epoch_list, *self.extra}))

    def extend(self, extra: Iterable[int]) -> Self:
        """All wanted cells, with these extra epochs."""
        wider = dataclasses.replace(self, extra=tuple(extra))
        return dataclasses.replace(wider, epochs=wider.schedule)

    def with_extra(self, store: Store) -> Self:
        """With the extra epochs in force; the same object for a study without a rule.

        A record that can't be read now adds none: a code location loads all the same.
        """
        if self.study.adaptive is None:
            return self
        try:
            choice = read_choice(store, self.study)
        except StoreError:
            return self
        return self.extend(choice.epochs if choice else ())

    def narrow(self, *, variants: Iterable[str] = (), epochs: Iterable[int] = ()) -> Self:
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

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """Everything that is made, each after what it is made from."""
        return products_of(self)

    def product(self, name: str) -> Product:
        """A product by its name; KeyError for none, which no user can cause."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Product]:
        return {product.name: product for product in self.products}

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
    return checkpoint_spec(family.parse_variant(variant).fingerprint, code_version(family))


def checkpoint_spec(variant_fingerprint: str, code: str) -> str:
    """What a checkpoint is made by: its variant's fingerprint and the version of the training code."""
    return short(fingerprint_json([variant_fingerprint, code]))
