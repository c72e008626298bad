"""The study files of a running workbench: taken up when they change, and kept as they last could be read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from tdw.errors import BadConfig, StoreError
from tdw.store.commit import write_atomic
from tdw.study import Study, load_studies
from tdw_resources.places import Places, last_good_folder, last_good_study


class StudyFiles:
    """Looks at the files again and again.

    Attributes:
        studies: as the files last could be read.
    """

    def __init__(self, places: Places, studies: Sequence[Study]) -> None:
        self._paths, self._folder = places.studies, last_good_folder(places.home)
        self.studies = tuple(studies)
        self._stamps = self._look()
        self._problem = ""
        self._keep()

    def changes(self) -> tuple[bool, str]:
        """Whether there are other studies now; and what is to be said, or ""."""
        stamps = self._look()
        changed = [p for p, old, new in zip(self._paths, self._stamps, stamps, strict=True) if old != new]
        if not changed:
            return False, ""
        self._stamps = stamps
        named = " and ".join(map(str, changed))
        try:
            studies = load_studies(self._paths)
        except BadConfig as error:
            before, self._problem = self._problem, str(error)
            goes_on = f"{error}\n  The workbench goes on with the last version that could be read."
            return False, "" if before == self._problem else goes_on
        was_bad, self._problem = bool(self._problem), ""
        if studies == self.studies:
            return False, f"{named} can be read again." if was_bad else ""
        self.studies = studies
        self._keep()
        return True, f"{named} changed: the workbench goes on with it."

    def _look(self) -> list[tuple[int, int, int] | None]:
        found: list[tuple[int, int, int] | None] = []
        for path in self._paths:
            try:
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, status.st_ino))
            except OSError:
                found.append(None)
        return found

    def _keep(self) -> None:
        for path, study in zip(self._paths, self.studies, strict=True):
            with contextlib.suppress(OSError, StoreError):
                values = json.dumps(study.model_dump(mode="json")).encode()
                write_atomic(last_good_study(self._folder, path), values)
