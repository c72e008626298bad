"""Which study of a store is meant, where several have their comparisons in it, and which variants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdw.errors import BadConfig, NotFound
from tdw.families import Family, all_families
from tdw.families.stored import stored_variants
from tdw.notebook.family import the_family
from tdw.recipes.family import VariantConfig
from tdw.reports.study_report import NAME as REPORT
from tdw.reports.study_report import StudyReport, study_report
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
    declared, folder = _by_name(store, str(study), family)
    table = store.read_table(TableAddress(declared.name, folder, "comparison"))
    return Compared(declared, folder, tuple(map(str, table["variant"])))


def _by_name(store: Store, study: str, family: Family | None) -> tuple[Family, str]:
    """Family and folder of a study that has something stored over its variants.

    Raises:
        BadConfig: there is none; lists those that there are. Or it is one of several families.
    """
    stored = {each: studies_in(store, each) for each in ([family] if family else all_families())}
    found = [each for each, names in stored.items() if study in names]
    if not found:
        have = ", ".join(name for names in stored.values() for name in names) or "none"
        raise BadConfig(
            f"{study!r} is neither a study file nor a study that {store.root} has a comparison of",
            f"there is: {have}; or give the path of the study file",
        )
    if len(found) > 1:
        raise BadConfig(
            f"a study {study} is there of each of {', '.join(each.name for each in found)}",
            "name one: family=...",
        )
    return found[0], comparison_folder(study)


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


def report_as_its_page(
    store: Store,
    study: StudyOrName | None,
    family: Family | str | None,
    early_epoch: int | None,
    last_epoch: int | None,
) -> StudyReport:
    """The study report, made now; see `Workbench.report`."""
    of_all = study is None and (early_epoch, last_epoch) != (None, None)
    found = None if of_all else as_reported(store, study, family)
    if found is None:
        early = 1000 if early_epoch is None else early_epoch
        chosen, configs, early, last = chosen_variants(store, None, family, early, last_epoch)
        return study_report(store, chosen, configs, early_epoch=early, last_epoch=last)
    loaded, configs = found
    return study_report(
        store,
        loaded.family_declaration,
        configs,
        title=f"Study report: {loaded.name}",
        early_epoch=loaded.early_epoch,
        last_epoch=loaded.epochs,
        study=loaded,
    )


def as_reported(
    store: Store, study: StudyOrName | None, family: Family | str | None
) -> tuple[Study, Sequence[VariantConfig]] | None:
    """A study with the variants that its report in the store is about, some of which were added in Dagster.

    Args:
        study: a study file, its folder, a loaded study or the name of one with a stored report; None for the
            only one of the family whose report is stored.
        family: needed where the store has variants of several, without a study.

    Returns:
        None where no study is named and no report is stored.

    Raises:
        BadConfig: several reports are stored, and none is named; or the report's claims need the study file.
    """
    if study is None:
        chosen = the_family(store, family)
        names = [
            name for name in studies_in(store, chosen) if _stored(store, chosen, comparison_folder(name))
        ]
        if len(names) > 1:
            raise BadConfig(
                f"{store.root} has reports on several studies of {chosen.name}: {', '.join(names)}",
                "name one: study=...",
            )
        if not names:
            return None
        study = names[0]
    if not isinstance(study, Study) and not Path(study).exists():
        declared, folder = _by_name(store, str(study), the_family(store, family) if family else None)
        record = _stored(store, declared, folder)
        if record is None:
            raise NotFound(f"{store.root} has no report on study {study}", "give the path of its file")
        loaded, variants = _from_record(record)
        return loaded, [declared.parse_variant(key) for key in variants]
    loaded = as_study(study)
    declared, record = loaded.family_declaration, _stored(store, loaded.family_declaration, loaded.folder)
    if record is None:
        return loaded, loaded.configs
    before, variants = _from_record(record, needs_claims=False)
    new = [key for key in loaded.variant_keys if key not in before.variant_keys and key not in variants]
    return loaded, [declared.parse_variant(key) for key in (*variants, *new)]


def _stored(store: Store, family: Family, folder: str) -> Mapping[str, Any] | None:
    """What the stored report on a study was asked for; None where there is none."""
    try:
        parameters = store.read_document(family.name, folder, REPORT).provenance.parameters
    except NotFound:
        return None
    return parameters if parameters.get("study") else None


def _from_record(record: Mapping[str, Any], *, needs_claims: bool = True) -> tuple[Study, Sequence[str]]:
    study = Study.model_validate(record["study"], strict=False)
    if needs_claims and any(claim.kind.startswith("./") for claim in study.claims):
        raise BadConfig(
            f"claims of study {study.name} are Python functions beside its file",
            "give the path of the study file",
        )
    return study, record.get("variants", study.variant_keys)


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
