"""Whether Dagster has our code location loaded, asked of its webserver as the UI does."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tdw.errors import TdwError
from tdw_resources.links import LOCATION

_RELOAD_S = 60.0
_ASK_S = 5.0
_RELOADED = "WorkspaceLocationEntry"
_PATIENCE_S = 30.0
_EVERY_S = 3.0
# Loopback never goes through a proxy, whatever the environment says.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_STATE = """{ workspaceOrError { ... on PythonError { message } ... on Workspace { locationEntries {
    name loadStatus locationOrLoadError { ... on PythonError { message causes { message } } } } } } }"""


def reload_code(address: str) -> bool:
    """Reload the definitions, as the UI's *Reload* does; whether that was accepted."""
    mutation = "mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name)"
    try:
        answer = _ask(address, mutation + " { __typename } }", {"name": LOCATION}, timeout_s=_RELOAD_S)
    except (OSError, ValueError):
        return False  # it is being started again; asked for once more later
    return answer.get("reloadRepositoryLocation", {}).get("__typename") == _RELOADED


def location_problem(address: str) -> str | None:
    """Why the code location can't be loaded, "" when it is loaded, None when that can't be told (yet)."""
    try:
        state = _ask(address, _STATE, {}, timeout_s=_ASK_S).get("workspaceOrError") or {}
    except (OSError, ValueError):
        return None
    if "message" in state:
        return str(state["message"])
    for entry in state.get("locationEntries", ()):
        if entry["name"] == LOCATION and entry["loadStatus"] == "LOADED":
            error = entry["locationOrLoadError"] or {}
            said = [error.get("message", ""), *(cause["message"] for cause in error.get("causes", ()))]
            return str(said[-1])  # the first cause comes last, and is the one to act on
    return None


def _ask(address: str, query: str, variables: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{address}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with _direct.open(request, timeout=timeout_s) as reply:
        return json.load(reply).get("data") or {}


@dataclass
class LocationWatch:
    """Notices a code location that can't be loaded, says why, and gives up where it never could be.

    Attributes:
        problem: as `location_problem`.
        last_lines: of the code server's log.
        log: where that is.
        clock: seconds.
    """

    problem: Callable[[], str | None]
    last_lines: Callable[[], str]
    log: str
    clock: Callable[[], float] = time.monotonic
    _next: float = 0.0
    _said: str = ""
    _since: float | None = None
    _ever_loaded: bool = False

    @property
    def waiting(self) -> bool:
        """Whether work can't go on, since the code location was not loaded when last asked."""
        return bool(self._said) or not self._ever_loaded

    def look(self) -> list[str]:
        """What there is to say; asks every few seconds.

        Raises:
            TdwError: the code location could not be loaded for `_PATIENCE_S`, and never was.
        """
        now = self.clock()
        if now < self._next:
            return []
        self._next = now + (_EVERY_S if self.waiting else 5 * _EVERY_S)
        problem = self.problem()
        if problem is None:
            return []
        if not problem:
            was, self._said, self._since, self._ever_loaded = self._said, "", None, True
            return ["The code location is loaded."] if was else []
        self._since = now if self._since is None else self._since
        if not self._ever_loaded and now - self._since >= _PATIENCE_S:
            raise TdwError(f"the code location can't be loaded: {self._why(problem)}", f"see {self.log}")
        if problem == self._said:
            return []
        self._said = problem
        return [f"The code location can't be loaded; waiting. {self._why(problem)}"]

    def _why(self, problem: str) -> str:
        return f"{problem.strip()}\n  The code server's last lines:\n  {self.last_lines()}"
