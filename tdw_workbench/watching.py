"""The study file of a running workbench: taken up when it changes, and kept as it last could be read."""

from __future__ import annotations

import contextlib

from tdw.errors import BadConfig, StoreError
from tdw.store.commit import write_atomic
from tdw.study import Study, load_study
from tdw_resources.places import LAST_GOOD_VARIABLE, Places, last_good_study


class StudyFile:
    """Looks at the file again and again.

    Attributes:
        study: as the file last could be read.
    """

    def __init__(self, places: Places, study: Study) -> None:
        self._path, self._kept = places.study, last_good_study(places)
        self.study = study
        self._stamp = self._look()
        self._problem = ""
        self._keep()

    @property
    def environment(self) -> dict[str, str]:
        """Tells the servers where the last good version is."""
        return {LAST_GOOD_VARIABLE: str(self._kept)}

    def changes(self) -> tuple[bool, str]:
        """Whether there is another study now; and what is to be said, or ""."""
        stamp = self._look()
        if stamp == self._stamp:
            return False, ""
        self._stamp = stamp
        try:
            study = load_study(self._path)
        except BadConfig as error:
            before, self._problem = self._problem, str(error)
            goes_on = f"{error}\n  The workbench goes on with the last version that could be read."
            return False, "" if before == self._problem else goes_on
        was_bad, self._problem = bool(self._problem), ""
        if study == self.study:
            return False, f"{self._path} can be read again." if was_bad else ""
        self.study = study
        self._keep()
        return True, f"{self._path} has changed: the workbench goes on with it."

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _keep(self) -> None:
        # A file that is gone or half written again by now is seen by the next look; the copy stays as it was.
        with contextlib.suppress(OSError, StoreError):
            write_atomic(self._kept, self._path.read_bytes())
