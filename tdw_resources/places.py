"""Where things are: the project, its default store and study, the Dagster home that belongs to a store."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tdw.errors import BadConfig
from tdw.store import Store
from tdw.store.fingerprints import fingerprint_json
from tdw.study import Study, load_studies
from tdw.study.file import STUDY_FILE

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_STORE = PROJECT / "store"
DEFAULT_STUDY = PROJECT / "studies" / "quickstart"
DEFAULT_HOME = PROJECT / "dagster_home"
HOME_VARIABLE = "TDW_DAGSTER_HOME"


@dataclass(frozen=True)
class Places:
    """What one workbench works on.

    Attributes:
        store: folder of the artifacts.
        studies: the study files.
        home: the Dagster home: its dagster.yaml, SQLite files and logs.
    """

    store: str
    studies: tuple[Path, ...]
    home: Path

    @property
    def study(self) -> Path:
        """The study file of a command that is about one.

        Raises:
            BadConfig: there are several.
        """
        study, *others = self.studies
        if others:
            named = ", ".join(map(str, self.studies))
            raise BadConfig(f"several studies are named: {named}", "name the one that is meant with --study")
        return study

    def environment(self) -> dict[str, str]:
        """The variables that tell a child process the same."""
        return {
            "TDW_STORE": self.store,
            "TDW_STUDY": os.pathsep.join(map(str, self.studies)),
            HOME_VARIABLE: str(self.home),
            "DAGSTER_HOME": str(self.home),
        }


def find_places(
    store: str | None = None,
    *,
    study: str | Path | Sequence[str | Path] | None = None,
    home: str | Path | None = None,
) -> Places:
    """From arguments, else $TDW_STORE, $TDW_STUDY and $TDW_DAGSTER_HOME, else the project's own folders.

    $TDW_STUDY may name several files, with a colon between them (a semicolon on Windows).

    A home that is given is used, whatever the store is. Otherwise the home belongs to the store: the
    project's `dagster_home` for the default store, `.dagster` inside any other store. $DAGSTER_HOME is not
    asked: it may well name the instance of another project.
    """
    chosen = Store(store or os.environ.get("TDW_STORE") or DEFAULT_STORE).root
    given = home or os.environ.get(HOME_VARIABLE)
    if not given:
        given = DEFAULT_HOME if chosen == DEFAULT_STORE else chosen / ".dagster"
    return Places(
        store=str(chosen),
        studies=tuple(_study_file(path) for path in _named_studies(study)),
        home=Path(given).expanduser().absolute(),
    )


def _named_studies(given: str | Path | Sequence[str | Path] | None) -> list[str | Path]:
    if given:
        return [given] if isinstance(given, str | Path) else list(given)
    named = os.environ.get("TDW_STUDY", "")
    if Path(named).exists():  # a colon may be part of a name
        return [named or DEFAULT_STUDY]
    return [part for part in named.split(os.pathsep) if part] or [DEFAULT_STUDY]


def _study_file(path: str | Path) -> Path:
    found = Path(path).expanduser().absolute()
    return found / STUDY_FILE if found.is_dir() else found


LAST_GOOD_VARIABLE = "TDW_LAST_GOOD_STUDIES"
"""The folder where `tdw up` keeps its studies as they last could be read, for its servers."""


def last_good_folder(home: Path) -> Path:
    """That folder of a home."""
    return home / "last_good_studies"


def last_good_study(folder: Path, path: Path) -> Path:
    """Where a study is kept, with all that its file refers to."""
    return folder / f"{fingerprint_json(str(path))[:16]}.json"


def load_studies_or_last_good(paths: Sequence[Path]) -> tuple[tuple[Study, ...], str]:
    """The studies, and "" or why they are the last good ones: while a workbench runs, files may be edited.

    Raises:
        BadConfig: a file can't be used, or they don't go together, and no workbench has kept good ones.
    """
    try:
        return load_studies(paths), ""
    except BadConfig as error:
        folder = os.environ.get(LAST_GOOD_VARIABLE)
        kept = [last_good_study(Path(folder), path) for path in paths] if folder else []
        if not kept or not all(path.exists() for path in kept):
            raise
        studies = [Study.model_validate(json.loads(path.read_bytes()), strict=False) for path in kept]
        return tuple(studies), f"{error}\n  The workbench goes on with the last version that could be read."


def log_folder(home: Path) -> Path:
    """Where our own processes log. Not `home/logs`: Dagster's telemetry empties that, sent or not."""
    return home / "tdw_logs"
