"""Where things are: the project, its default store and study, the Dagster home that belongs to a store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_STORE = PROJECT / "store"
DEFAULT_STUDY = PROJECT / "studies" / "quickstart"
DEFAULT_HOME = PROJECT / "dagster_home"


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
        return {"TDW_STORE": self.store, "TDW_STUDY": str(self.study), "DAGSTER_HOME": str(self.home)}


def find_places(store: str | None = None, *, study: str | Path | None = None) -> Places:
    """From arguments, else $TDW_STORE, $TDW_STUDY and $DAGSTER_HOME, else the project's own folders.

    A store that is given as an argument has its Dagster home inside, in `.dagster`, so that it stands on its
    own; so does one from the environment unless $DAGSTER_HOME is set. A store that is no local folder keeps
    to the project's home.
    """
    chosen = store or os.environ.get("TDW_STORE") or str(DEFAULT_STORE)
    if "://" not in chosen:
        chosen = str(Path(chosen).expanduser().absolute())
    home = None if store else os.environ.get("DAGSTER_HOME")
    if home is None:
        own = "://" in chosen or Path(chosen) == DEFAULT_STORE
        home = DEFAULT_HOME if own else Path(chosen) / ".dagster"
    return Places(
        store=chosen,
        study=Path(study or os.environ.get("TDW_STUDY") or DEFAULT_STUDY).expanduser().absolute(),
        home=Path(home).expanduser().absolute(),
    )


def log_folder(home: Path) -> Path:
    """Where our own processes log. Not `home/logs`: Dagster's telemetry empties that, sent or not."""
    return home / "tdw_logs"
