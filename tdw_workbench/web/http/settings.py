"""What the web routes need to know, from arguments and the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tdw.errors import BadConfig
from tdw_resources.places import find_places
from tdw_workbench.web.prefix import prefix_of

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_HOST = "*"


@dataclass(frozen=True)
class Settings:
    """How the pages are served.

    Attributes:
        store: folder of the artifacts.
        studies: the study files whose schedules say what a gap is; none where there is no such file.
        allowed_hosts: names in a Host header that are answered; "*" allows every one.
        dagster_url: where Dagster's pages are; "" for the same origin.
        prefix: path in front of /tdw in every address that a browser sees.
        home: the Dagster home of the store, whose runs tell how far they are; None for none.
    """

    store: str
    studies: tuple[Path, ...] = ()
    allowed_hosts: frozenset[str] = LOOPBACK
    dagster_url: str = ""
    prefix: str = ""
    home: Path | None = None


def settings_from_environment(
    store: str | None = None,
    *,
    study: str | Path | Sequence[str | Path] | None = None,
    dagster_url: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings from $TDW_STORE, $TDW_STUDY, $TDW_ALLOWED_HOSTS (comma-separated) and $TDW_BASE_URL.

    The host of the base URL is allowed: it is where the assets' links lead. Its path is the prefix.

    Raises:
        BadConfig: a host or URL that can't be one.
    """
    places = find_places(store, study=study)
    hosts = [name.strip() for name in environment.get("TDW_ALLOWED_HOSTS", "").split(",") if name.strip()]
    base = environment.get("TDW_BASE_URL", "")
    if base:
        hosts.append(_host_of(base))
    return Settings(
        store=places.store,
        studies=tuple(path for path in places.studies if path.exists()),
        allowed_hosts=LOOPBACK | _checked(hosts),
        dagster_url=dagster_url.rstrip("/"),
        prefix=prefix_of(base),
        home=places.home,
    )


def _host_of(base: str) -> str:
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadConfig(f"TDW_BASE_URL is {base!r}", "give a URL such as http://127.0.0.1:3001")
    return parts.hostname


def _checked(hosts: Iterable[str]) -> frozenset[str]:
    for host in hosts:
        if any(character in host for character in "/@ ") or (host.count(":") == 1):
            raise BadConfig(
                f"TDW_ALLOWED_HOSTS names {host!r}", "list host names without scheme or port, or * for all"
            )
    return frozenset(host.lower() for host in hosts)
