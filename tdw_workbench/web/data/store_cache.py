"""What the store holds, as the pages ask for it: one object that the routes share."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from tdw.errors import CorruptFile, NotFound, StoreError, TdwError
from tdw.families import get_family
from tdw.inventory.wanted import Wanted
from tdw.store import Address, RecordAddress, Store, TableAddress
from tdw.store.document_files import MANIFEST
from tdw.store.layout import CHECKPOINTS, COMPARISON, folder
from tdw.training.live import Running, read_running
from tdw_resources.places import load_studies_or_last_good
from tdw_workbench.web.data.caching import ByStamp, ByteCache, stamp
from tdw_workbench.web.data.recorded import RecordedAt
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from tdw.study import Study

Value = TypeVar("Value")
_LISTINGS = 20_000  # 1,000 variants of 20 kinds
_ANSWERS = 48 << 20  # bytes


class StoreCache:
    """Listings by the state of their folders, tables by that of their files, ready answers by their ETag."""

    def __init__(self, settings: Settings, runs: Runs | None = None) -> None:
        self.settings = settings
        self.runs = runs
        """Dagster, where the pages are on its server: there they can start and stop work."""
        home = settings.home
        self.recorded = runs or (RecordedAt(home) if home and (home / "dagster.yaml").exists() else None)
        """What Dagster knows; None where there is no instance."""
        self.store = Store(settings.store)
        self.answers = ByteCache(_ANSWERS)
        self.one_at_a_time = threading.Lock()
        # Making a path of names takes longer than asking for its state.
        self._folder = functools.lru_cache(_LISTINGS)(lambda *names: self.store.root / folder(*names))
        self._path = functools.lru_cache(_LISTINGS)(self.store.path)
        self.manifest = functools.lru_cache(_LISTINGS)(
            lambda *names: self.store.document_folder(*names) / MANIFEST
        )
        """(family, variant or folder, name) -> the file that is there once a plot or a report was made."""
        self._epochs: ByStamp[list[int]] = ByStamp(_LISTINGS)
        self._views: ByStamp[Any] = ByStamp(_LISTINGS)
        self._wanted: dict[str, tuple[Study, Wanted]] = {}
        self._studies: tuple[object, tuple[tuple[Study, ...], str]] | None = None

    def epochs(self, family: str, variant: str, kind: str = CHECKPOINTS) -> list[int]:
        """Epochs of which there is a file, ascending."""
        where = self._folder(family, variant, kind)
        return self._epochs.get(where, lambda: self.store.epochs(family, variant, kind), where)

    def exists(self, address: TableAddress) -> bool:
        """Whether a table is there."""
        return stamp(self._path(address)) is not None

    def by_folders(
        self, family: str, variant: str, kinds: Iterable[str], read: Callable[[], Value], *key: Hashable
    ) -> Value:
        """What `read` returns for all files of some kinds, cached until one is added, replaced or removed."""
        # A commit renames a file into the folder, which changes the folder's own time.
        folders = [self._folder(family, variant, kind) for kind in kinds]
        return self._views.get((*folders, read.__qualname__, *key), read, *folders)

    def stamps(self, addresses: Iterable[Address]) -> list[object]:
        """The state of files: equal stamps, equal bytes."""
        return [stamp(self._path(address)) for address in addresses]

    def view_of_table(self, address: TableAddress, view: Any) -> Any:
        """`view(table)`, kept until the table changes; None where the table is missing or damaged."""

        def read() -> Any:
            try:
                table: pd.DataFrame = self.store.read_table(address)
                return view(table)
            except (NotFound, CorruptFile, StoreError, KeyError):
                return None

        return self._views.get((address, view), read, self._path(address))

    def known_variants(self, study: Study, *, now: bool = False) -> list[str]:
        """Of a study: those that Dagster has registered, or else those of its file; what it said some seconds
        ago will do but for `now`.
        """
        return list(self.recorded.registered(study, now=now) if self.recorded else study.variant_keys)

    def running(self, family: str, variant: str) -> Running | None:
        """How far the variant's training is, with its history so far; None where it does not train now."""
        return read_running(self.store, get_family(family), variant)

    @property
    def studies(self) -> tuple[Study, ...]:
        """The studies whose schedules tell what is missing; none where they can't be read."""
        return self._read_studies()[0]

    @property
    def study_problem(self) -> str:
        """Why there are no studies, or why they are not those of the files, or ""."""
        return self._read_studies()[1]

    def _read_studies(self) -> tuple[tuple[Study, ...], str]:
        paths = self.settings.studies
        if not paths:
            return (), "No study file was found."
        stamps = tuple(stamp(path) for path in paths)
        if self._studies is None or self._studies[0] != stamps:
            try:
                self._studies = stamps, load_studies_or_last_good(paths)
            except TdwError as error:
                self._studies = stamps, ((), str(error))
        return self._studies[1]

    def study_of(self, family: str, variant: str = "") -> Study | None:
        """The study that lists the variant, else the first of the family."""
        found = [study for study in self.studies if study.family == family]
        return next((study for study in found if variant in study.variant_keys), found[0] if found else None)

    def study_at(self, family: str, where: str) -> Study | None:
        """The study that lists the variant, or whose folder that is; else the first of the family."""
        found = [study for study in self.studies if study.family == family and study.folder == where]
        return found[0] if found else self.study_of(family, where)

    def comparison_folders(self, family: str) -> list[str]:
        """Where what covers several variants is, or will be."""
        studies = [study.folder for study in self.studies if study.family == family]
        return [COMPARISON, *dict.fromkeys([*studies, *self.store.comparison_folders(family)])]

    def scheduled(self, family: str, variant: str) -> tuple[int, ...]:
        """Epochs that the studies want of a variant, ascending; () for a variant of none of them.

        Where Dagster is not asked, a variant that was added there is in no file, but its checkpoints are on a
        study's schedule.
        """
        found = [study for study in self.studies if study.family == family]
        listed = [study for study in found if variant in self.known_variants(study)]
        if listed:
            return tuple(sorted(set[int]().union(*map(self.wanted_epochs, listed))))
        there = self.epochs(family, variant)
        fitting = (wanted for wanted in map(self.wanted_epochs, found) if {*wanted}.issuperset(there))
        return next(fitting, ())

    def wanted(self, study: Study) -> Wanted:
        """What a study wants, extra epochs included; kept while both stay as they are."""
        epochs, kept = self.wanted_epochs(study), self._wanted.get(study.name)
        if kept is None or kept[0] is not study or kept[1].epochs != epochs:
            kept = self._wanted[study.name] = study, replace(Wanted.of(study), epochs=epochs)
        return kept[1]

    def wanted_epochs(self, study: Study) -> tuple[int, ...]:
        """The schedule and the extra epochs that the study's adaptive rule has added."""
        if study.adaptive is None:
            return study.epoch_list
        from tdw.study.extra_epochs import read_choice

        address = RecordAddress(study.family, study.name)
        choice = self._views.get(
            (address, study.fingerprint), lambda: read_choice(self.store, study), self._path(address)
        )
        return tuple(sorted({*study.epoch_list, *(choice.epochs if choice else ())}))
