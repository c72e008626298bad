"""Which family is meant: by its name, by a variant's key, or because a store holds one family only."""

from __future__ import annotations

from tdw.errors import BadConfig, NotFound
from tdw.families import Family, all_families, get_family
from tdw.families.stored import stored_variants
from tdw.recipes.family import VariantConfig
from tdw.store import Store


def the_family(store: Store, family: Family | str | None) -> Family:
    """The given family, or the only one that the store holds anything of.

    Raises:
        BadConfig: no such family; or the store holds several, and none is named.
        NotFound: the store holds no variant.
    """
    if isinstance(family, Family):
        return family
    if family is not None:
        return get_family(family)
    stored = [each for each in all_families() if stored_variants(store, each)]
    if len(stored) == 1:
        return stored[0]
    if not stored:
        raise NotFound(f"{store.root}: holds no variant yet", "train one with `tdw fill`")
    names = ", ".join(each.name for each in stored)
    raise BadConfig(f"the store has variants of several families: {names}", "name one: family=...")


def parse_key(key: str) -> VariantConfig:
    """The configuration a key names, by the first family that can read it.

    Raises:
        BadConfig: no family can; says why the first one can't.
    """
    refusals: list[BadConfig] = []
    for family in all_families():
        try:
            return family.parse_variant(key)
        except BadConfig as error:
            refusals.append(error)
    raise refusals[0]
