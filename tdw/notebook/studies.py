"""Which study of a store is meant, where several have their comparisons in it, and which variants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tdw.errors import BadConfig
from tdw.families import Family, all_families
from tdw.families.stored import stored_variants
from tdw.notebook.family import the_family
from tdw.recipes.family import VariantConfig
from tdw.store import Store, TableAddress
from tdw.store.layout import compared_study, comparison_folder, natural_order
from tdw.study import Study, load_study

StudyOrName = str | Path | Study
"""A study file, its folder, a loaded study, or the name of one whose comparison is stored."""


@dataclass(frozen=True)
class Compared:
    """What covers several variants, as it is stored.

    Attributes:
        folder: its folder, in place of a variant's; None for that of no study.
        variants: keys of the study's; None for all that are stored.
    """

    family: Family
    folder: str | None
    variants: tuple[str, ...] | None = None


def as_study(study: str | Path | Study) -> Study:
    """A study, loaded where it is a file. Raises BadConfig."""
    return study if isinstance(study, Study) else load_study(study)


def of_study(store: Store, study: StudyOrName, family: Family | None) -> Compared:
    """What is stored of a study that is named.

    Raises:
        BadConfig: there is none; lists those that there are. Or it is one of several families.
    """
    if isinstance(study, Study) or Path(study).exists():
        loaded = as_study(study)
        folder = store.where_compared(loaded.family, loaded.folder)
        return Compared(loaded.family_declaration, folder, loaded.variant_keys)
    stored = {each: studies_in(store, each) for each in ([family] if family else all_families())}
    found = [each for each, names in stored.items() if str(study) in names]
    if not found:
        have = ", ".join(name for names in stored.values() for name in names) or "none"
        raise BadConfig(
            f"{str(study)!r} is neither a study file nor a study that {store.root} has a comparison of",
            f"there is: {have}; or give the path of the study file",
        )
    if len(found) > 1:
        raise BadConfig(
            f"a study {study} is there of each of {', '.join(each.name for each in found)}",
            "name one: family=...",
        )
    folder = comparison_folder(str(study))
    table = store.read_table(TableAddress(found[0].name, folder, "comparison"))
    return Compared(found[0], folder, tuple(map(str, table["variant"])))


def of_family(store: Store, family: Family) -> Compared:
    """What is stored of the only study that a family has.

    Raises:
        BadConfig: there are several; lists them.
    """
    names = studies_in(store, family)
    if len(names) > 1:
        raise BadConfig(
            f"{store.root} has comparisons of several studies of {family.name}: {', '.join(names)}",
            "name one: study=...",
        )
    return Compared(family, comparison_folder(names[0]) if names else None)


def studies_in(store: Store, family: Family) -> Sequence[str]:
    """Slugs of the studies that have a folder for comparisons in a store."""
    return [study for name in store.comparison_folders(family.name) if (study := compared_study(name))]


def chosen_variants(
    store: Store,
    study: str | Path | Study | None,
    family: Family | str | None,
    early_epoch: int,
    last_epoch: int | None,
) -> tuple[Family, Sequence[VariantConfig], int, int | None]:
    """Family, variants, early and last epoch: a study's own, else as given, of all that is stored.

    Variants without a study are in the order of the numbers in their keys.
    """
    if study is None:
        chosen = the_family(store, family)
        keys = sorted(stored_variants(store, chosen), key=natural_order)
        return chosen, [chosen.parse_variant(key) for key in keys], early_epoch, last_epoch
    loaded = as_study(study)
    return loaded.family_declaration, loaded.configs, loaded.early_epoch, loaded.epochs
