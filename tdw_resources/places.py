"""Where things are: the project, its default store and study, the Dagster home that belongs to a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

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


def log_folder(home: Path) -> Path:
    """Where our own processes log. Not `home/logs`: Dagster's telemetry empties that, sent or not."""
    return home / "tdw_logs"
