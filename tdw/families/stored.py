"""Which folders of a store are variants: those whose name is a variant's key, and nothing else.

Copied folders, `Thumbs.db`, `lost+found` and similar names are in many folders. Code that lists variants
ignores them; `tdw verify` names them.
"""

from __future__ import annotations

from tdw.errors import BadConfig
from tdw.recipes.family import Family
from tdw.store import Store


def stored_variants(store: Store, family: Family) -> list[str]:
    """Keys of the family's variants that have anything stored, by name."""
    where = store.root / family.name
    return [
        name for name in store.variants(family.name) if is_variant(family, name) and (where / name).is_dir()
    ]


def is_variant(family: Family, key: str) -> bool:
    """Whether `key` is the canonical key of a variant of the family."""
    return why_no_variant(family, key) is None


def why_no_variant(family: Family, key: str) -> BadConfig | None:
    """What is wrong with a key, with the remedy; None for a variant's."""
    try:
        family.parse_variant(key)
    except BadConfig as error:
        return error
    return None
