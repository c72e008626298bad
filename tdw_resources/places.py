"""Where things are: the project, its default store and study, the Dagster home that belongs to a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tdw.errors import BadConfig
from tdw.study import Study, load_study

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_STORE = PROJECT / "store"
DEFAULT_STUDY = PROJECT / "studies" / "quickstart"
DEFAULT_HOME = PROJECT / "dagster_home"
HOME_VARIABLE = "TDW_DAGSTER_HOME"


@dataclass(frozen=True)
class Places:
    """What one workbench works on.

    Attributes:
        store: folder or URL of the artifacts.
        study: the study file.
        home: the Dagster home: its dagster.yaml, SQLite files and logs.
    """

    store: str
    study: Path
    home: Path

    def environment(self) -> dict[str, str]:
        """The variables that tell a child process the same."""
        return {
            "TDW_STORE": self.store,
            "TDW_STUDY": str(self.study),
            HOME_VARIABLE: str(self.home),
            "DAGSTER_HOME": str(self.home),
        }


def find_places(
    store: str | None = None, *, study: str | Path | None = None, home: str | Path | None = None
) -> Places:
    """From arguments, else $TDW_STORE, $TDW_STUDY and $TDW_DAGSTER_HOME, else the project's own folders.

    A home that is given is used, whatever the store is. Otherwise the home belongs to the store: the
    project's `dagster_home` for the default store and for a store that is no local folder, `.dagster` inside
    any other store. $DAGSTER_HOME is not asked: it may well name the instance of another project.
    """
    chosen = store or os.environ.get("TDW_STORE") or str(DEFAULT_STORE)
    if "://" not in chosen:
        chosen = str(Path(chosen).expanduser().absolute())
    given = home or os.environ.get(HOME_VARIABLE)
    if not given:
        projects = "://" in chosen or Path(chosen) == DEFAULT_STORE
        given = DEFAULT_HOME if projects else Path(chosen) / ".dagster"
    return Places(
        store=chosen,
        study=Path(study or os.environ.get("TDW_STUDY") or DEFAULT_STUDY).expanduser().absolute(),
        home=Path(given).expanduser().absolute(),
    )


LAST_GOOD_VARIABLE = "TDW_LAST_GOOD_STUDY"
"""Where `tdw up` keeps the study file as it last could be read, for its servers."""


def last_good_study(places: Places) -> Path:
    """The copy's place: the same name, since a study without a name has its file's."""
    return places.home / "last_good_study" / places.study.name


def load_study_or_last_good(path: Path) -> tuple[Study, str]:
    """The study, and "" or why it is the last good one: while a workbench runs, its file may be being edited.

    Raises:
        BadConfig: the file can't be used, and no workbench has kept a good one.
    """
    try:
        return load_study(path), ""
    except BadConfig as error:
        kept = os.environ.get(LAST_GOOD_VARIABLE)
        if not kept or not Path(kept).exists():
            raise
        return load_study(kept), f"{error}\n  The workbench goes on with the last version that could be read."


def log_folder(home: Path) -> Path:
    """Where our own processes log. Not `home/logs`: Dagster's telemetry empties that, sent or not."""
    return home / "tdw_logs"
