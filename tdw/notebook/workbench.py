"""The notebook API (R4): open a store, a variant, an epoch, an artifact, a plot, in a line each.

    import tdw
    v = tdw.open().variant("p113_s999_d598")
    v.at(5000).artifact("coarseness")["neuron_fft_ratio_no_dc"]

Checks what it reads. Nothing writes into the store but `make` and `import_bundle`, and nothing starts
Dagster: the workbench records what they brought on its next look.
"""

# plotly ships no types, and numpy arrays have none for torch.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tdw.errors import BadConfig, NotFound
from tdw.families import Family, all_families, get_family
from tdw.families.stored import stored_variants
from tdw.html_repr import html_table
from tdw.notebook.family import parse_key, the_family
from tdw.notebook.variant import Checkpoint, Variant
from tdw.store import Store, TableAddress

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from tdw.exchange.bundle import Exported
    from tdw.exchange.import_checkpoints import Imported
    from tdw.notebook.studies import Compared, StudyOrName
    from tdw.reports.chosen import Chosen
    from tdw.reports.study_comparison import StudyComparison
    from tdw.reports.study_report import StudyReport
    from tdw.study import Study

__all__ = ["Checkpoint", "Keys", "Variant", "Workbench", "default_store", "open_workbench"]
Keys = str | Sequence[str]

DEFAULT_STORE = Path(__file__).resolve().parents[2] / "store"


def default_store() -> str:
    """The store that is meant when none is named: $TDW_STORE, else the folder `store` of the project."""
    return os.environ.get("TDW_STORE") or str(DEFAULT_STORE)


def open_workbench(store: str | Path | Store | None = None) -> Workbench:
    """Open a store for reading; public as `tdw.open`.

    Args:
        store: a folder or an open `Store`; None for $TDW_STORE, else the default folder.
    """
    return Workbench(store if isinstance(store, Store) else Store(store or default_store()))


@dataclass(frozen=True)
class Workbench:
    """Everything in one store."""

    store: Store

    def variants(self) -> list[str]:
        """Keys of the variants that have anything stored."""
        return sorted(key for family in all_families() for key in stored_variants(self.store, family))

    def variant(self, key: str) -> Variant:
        """A variant by its key.

        Raises:
            BadConfig: the key is no variant's.
            NotFound: nothing of it is stored; lists what is.
        """
        for family in all_families():
            if key in stored_variants(self.store, family):
                return Variant(self.store, family, family.parse_variant(key))
        parse_key(key)
        have = ", ".join(self.variants()) or "nothing"
        raise NotFound(
            f"{self.store.root}: holds no variant {key}", f"train it with `tdw fill`; there is: {have}"
        )

    def comparison(
        self, name: str, *, study: StudyOrName | None = None, family: Family | str | None = None
    ) -> pd.DataFrame:
        """A stored table over the variants of a study, such as `comparison`.

        Args:
            name: of the table.
            study: a study file, its folder, a loaded study, or a name; needed where the store has comparisons
                of several studies of the family.
            family: needed where the store has variants of several, without a study.

        Raises:
            BadConfig: several studies or families, and none is named; lists them.
            NotFound, CorruptFile: each names the file.
        """
        found = self._compared(study, family)
        return self.store.read_table(TableAddress(found.family.name, found.folder, name))

    def plot(
        self, name: str, *, study: StudyOrName | None = None, family: Family | str | None = None
    ) -> go.Figure:
        """A figure over the variants of a study, built from what is stored now; arguments as `comparison`.

        Without a study it is over all variants of the family.
        """
        from tdw.making.figures import comparison_figure

        found = self._compared(study, family)
        return comparison_figure(self.store, found.family, name, variants=found.variants, folder=found.folder)

    def table(
        self,
        *,
        study: str | Path | Study | None = None,
        early_epoch: int = 1000,
        family: Family | str | None = None,
    ) -> pd.DataFrame:
        """One row per variant (S5), made now from the summaries: of a study, or of all variants of a family.

        Args:
            study: a study file, its folder, or a loaded study; it says `early_epoch` too.
            early_epoch: at which "early" is read, without a study.
            family: of the variants, without a study.
        """
        from tdw.making.comparison import compare
        from tdw.notebook.studies import chosen_variants
        from tdw.recipes.reading.variant_tables import read_tables

        chosen, configs, early, _ = chosen_variants(self.store, study, family, early_epoch, None)
        return compare(chosen, read_tables(self.store, chosen, configs), early_epoch=early)

    def report(
        self,
        study: StudyOrName | None = None,
        *,
        early_epoch: int | None = None,
        last_epoch: int | None = None,
        family: Family | str | None = None,
    ) -> StudyReport:
        """The study report (R1): verdicts on the study's claims, numbers, figures; as the report's page.

        It is made now from the tables that are there, of the variants that the page is about: those that were
        added in Dagster, too.

        Args:
            study: whose variants, epochs and claims are taken: a study file, its folder, a loaded study, or
                the name of one whose report is stored. None for the only one that there is; without any, and
                where `early_epoch` or `last_epoch` is given, for all variants of `family`, without claims.
            early_epoch: at which "early" is read, without a study; None for 1000.
            last_epoch: at which a variant is finished, without a study; None for the family's default.
            family: of the variants, without a study.

        Raises:
            BadConfig: the study file (names file and line), or several studies, and none is named.
        """
        from tdw.notebook.studies import report_as_its_page

        return report_as_its_page(self.store, study, family, early_epoch, last_epoch)

    def groups(
        self,
        study: str | Path | Study | None = None,
        *,
        early_epoch: int = 1000,
        last_epoch: int | None = None,
        family: Family | str | None = None,
    ) -> StudyComparison:
        """The comparison report on the groups that variants have (moduli, seeds, outcomes); see `report`."""
        from tdw.notebook.studies import chosen_variants
        from tdw.reports.study_comparison import study_comparison

        chosen, configs, early, last = chosen_variants(self.store, study, family, early_epoch, last_epoch)
        return study_comparison(self.store, chosen, configs, early_epoch=early, last_epoch=last)

    def compare(
        self, *sides: Keys, by: Keys = (), early_epoch: int = 1000, last_epoch: int | None = None
    ) -> Chosen:
        """Variants side by side: what differs in them, what came out, the family's figures over them.

        `compare("A", "B", "C")` are three variants, `compare(["A", "B"], ["C", "D"])` two groups, and
        `compare(keys, by="weight_decay")` a group per value of a field. Of two sides it shows the comparison
        report (R2).

        Args:
            sides: keys of variants, or lists of them.
            by: field or fields of the family's configuration that groups are made by.
            early_epoch: at which "early" is read.
            last_epoch: at which a variant is finished; None for the family's default.

        Raises:
            BadConfig: variants of several families, none, one twice, or a field that is not there.
            NotFound: nothing of a variant is stored.
        """
        from tdw.reports.chosen import choose

        groups = [[self.variant(key) for key in _listed(keys)] for keys in sides]
        families = {variant.family.name for group in groups for variant in group}
        if len(families) != 1:
            listed = ", ".join(sorted(families)) or "no variant"
            raise BadConfig(f"can't compare {listed}", "name variants of one family on every side")
        configs = [[variant.config for variant in group] for group in groups]
        family, fields = get_family(families.pop()), _listed(by)
        return choose(self.store, family, configs, by=fields, early_epoch=early_epoch, last_epoch=last_epoch)

    def make(
        self, key: str, checkpoints: Iterable[int | str], *, analyzers: Collection[str] | None = None
    ) -> Variant:
        """Train, analyze and summarize a variant as far as it is not done; see `make_variant`.

        For small things, such as `make("p31_s999_d598_f0.8", ["0:1300:50"])`. `tdw fill` uses all cores and
        shows progress.
        """
        from tdw.notebook.make import make_variant

        config = parse_key(key)
        family = get_family(config.family)
        make_variant(self.store, family, config, checkpoints, analyzers=analyzers)
        return Variant(self.store, family, config)

    def export(self, file: str | Path, keys: Keys, *, include: Collection[str] | None = None) -> Exported:
        """Write a bundle (R3) of some variants that another machine can verify and load."""
        from tdw.exchange.bundle import export_bundle

        listed = _listed(keys)
        family = self.variant(listed[0]).family
        return export_bundle(self.store, family, listed, file, include=include)

    def import_bundle(self, file: str | Path, *, replace: bool = False) -> Imported:
        """Verify every byte of a bundle, then take it into the store."""
        from tdw.exchange.import_checkpoints import import_bundle

        return import_bundle(self.store, file, replace=replace)

    def _compared(self, study: StudyOrName | None, family: Family | str | None) -> Compared:
        """What covers several variants: of the study that is meant, by name or because there is one only."""
        from tdw.notebook import studies

        if study is None:
            return studies.of_family(self.store, the_family(self.store, family))
        return studies.of_study(self.store, study, the_family(self.store, family) if family else None)

    def _repr_html_(self) -> str:
        rows = [(key, len(self.variant(key).epochs())) for key in self.variants()]
        return html_table(f"Workbench {self.store.root}", rows, columns=("variant", "checkpoints"))


def _listed(keys: Keys) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys)
