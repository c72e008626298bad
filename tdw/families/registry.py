"""The registered families: an explicit list, added to by a person."""

from __future__ import annotations

from tdw.errors import BadConfig
from tdw.families.modulo_addition_1layer import FAMILY as MODULO_ADDITION_1LAYER
from tdw.recipes.family import Family

FAMILIES: tuple[Family, ...] = (MODULO_ADDITION_1LAYER,)


def get_family(name: str) -> Family:
    """The family called `name`.

    Raises:
        BadConfig: no family of that name is registered; lists those that are.
    """
    for family in FAMILIES:
        if family.name == name:
            return family
    known = ", ".join(family.name for family in FAMILIES)
    raise BadConfig(
        f"no family is called {name[:80]!r}",
        f"use one of: {known}; a new one is registered in tdw/families/registry.py",
    )
