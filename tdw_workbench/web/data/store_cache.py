"""What the store holds, as the pages ask for it: one object that the routes share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from tdw.errors import CorruptFile, NotFound, StoreError, TdwError
from tdw.store import Address, RecordAddress, Store, TableAddress
from tdw.store.layout import CHECKPOINTS, folder
from tdw_workbench.web.data.caching import ByStamp, ByteCache, stamp
from tdw_workbench.web.http.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from tdw.study import Study

Value = TypeVar("Value")
_LISTINGS = 20_000  # 1,000 variants of 20 kinds
_ANSWERS = 48 << 20  # bytes


class Library:
    """Listings by the state of their folders, tables by that of their files, ready answers by their ETag."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.store)
        self.answers = ByteCache(_ANSWERS)
        self.one_at_a_time = threading.Lock()
        self._epochs: ByStamp[list[int]] = ByStamp(_LISTINGS)
        self._views: ByStamp[Any] = ByStamp(_LISTINGS)
        self._study: ByStamp[tuple[Study | None, str]] = ByStamp(1)

    def epochs(self, family: str, variant: str, kind: str = CHECKPOINTS) -> list[int]:
        """Epochs of which there is a file, ascending."""
        where = folder(family, variant, kind)
        return self._epochs.get(
            where, self.store.root / where, lambda: self.store.epochs(family, variant, kind)
        )

    def by_folder(self, family: str, variant: str, kind: str, read: Callable[[], Value]) -> Value:
        """What `read` tells of all files of a kind, kept until one is added, replaced or removed."""
        where = folder(family, variant, kind)
        # A commit renames a file into the folder, which changes the folder's own time.
        return self._views.get((where, read.__qualname__), self.store.root / where, read)

    def stamps(self, addresses: Iterable[Address]) -> list[object]:
        """The state of files: equal stamps, equal bytes."""
        return [stamp(self.store.path(address)) for address in addresses]

    def view_of_table(self, address: TableAddress, view: Any) -> Any:
        """`view(table)`, kept until the table changes; None where the table is missing or damaged."""
        path = self.store.path(address)

        def read() -> Any:
            try:
                table: pd.DataFrame = self.store.read_table(address)
                return view(table)
            except (NotFound, CorruptFile, StoreError, KeyError):
                return None

        return self._views.get((address, view.__name__), path, read)

    @property
    def study(self) -> Study | None:
        """The study whose schedule tells what is missing; None where there is none that can be read."""
        return self._read_study()[0]

    @property
    def study_problem(self) -> str:
        """Why there is no study, or ""."""
        return self._read_study()[1]

    def _read_study(self) -> tuple[Study | None, str]:
        path = self.settings.study
        if path is None:
            return None, "No study file was found."

        def read() -> tuple[Study | None, str]:
            from tdw.study import load_study

            try:
                return load_study(path), ""
            except TdwError as error:
                return None, str(error)

        return self._study.get("study", path, read)

    def scheduled(self, family: str, variant: str) -> tuple[int, ...]:
        """Epochs that the study wants of a variant; () for a variant of another study.

        A variant that was added in Dagster is not in the file, but its checkpoints are on the schedule.
        """
        study = self.study
        if study is None or study.family != family:
            return ()
        wanted = self._wanted_epochs(study)
        listed = variant in study.variant_keys
        return wanted if listed or {*wanted}.issuperset(self.epochs(family, variant)) else ()

    def _wanted_epochs(self, study: Study) -> tuple[int, ...]:
        """The schedule and the extra epochs that the study's adaptive rule has added."""
        if study.adaptive is None:
            return study.epoch_list
        from tdw.study.extra_epochs import read_choice

        address = RecordAddress(study.family, study.name)
        choice = self._views.get(
            (address, study.fingerprint), self.store.path(address), lambda: read_choice(self.store, study)
        )
        return tuple(sorted({*study.epoch_list, *(choice.epochs if choice else ())}))
