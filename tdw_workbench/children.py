"""How child processes are started, so that neither the working folder nor the environment misleads them.

A `secrets.py` in the working folder must not be imported in place of Python's own, a proxy must not stand
between processes of one machine, and a long TMPDIR must not make the path of a socket too long.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tdw.errors import StoreError
from tdw_resources.runs.warm_start import LONGEST_TMPDIR

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_PROXY = ("no_proxy", "NO_PROXY")
_NO_GRPC_PROXY = "no_grpc_proxy"  # where it is set, gRPC asks it in place of no_proxy
# Another project's code location or instance, as Dagster's own commands read them.
_ANOTHER_PROJECTS = (
    "DAGSTER_ATTRIBUTE",
    "DAGSTER_CODE_SERVER_HOST",
    "DAGSTER_CODE_SERVER_PORT",
    "DAGSTER_CODE_SERVER_SOCKET",
    "DAGSTER_CONTAINER_CONTEXT",
    "DAGSTER_CONTAINER_IMAGE",
    "DAGSTER_CURRENT_IMAGE",
    "DAGSTER_EMPTY_WORKING_DIRECTORY",
    "DAGSTER_GRPC_HOST",
    "DAGSTER_GRPC_PORT",
    "DAGSTER_GRPC_SOCKET",
    "DAGSTER_INJECT_ENV_VARS_FROM_INSTANCE",
    "DAGSTER_INSTANCE_REF",
    "DAGSTER_LOCATION_NAME",
    "DAGSTER_MODULE_NAME",
    "DAGSTER_PACKAGE_NAME",
    "DAGSTER_PYTHON_FILE",
    "DAGSTER_WORKING_DIRECTORY",
    "WEB_CONCURRENCY",  # uvicorn then asks for several processes, and ends where it can't have them
)
# Options of another webserver (a path prefix, read-only), and where another project's assets go.
_ANOTHER_PROJECTS_PREFIXES = ("DAGSTER_WEBSERVER_", "DAGIT_", "DAGSTER_DEFAULT_IO_MANAGER_")
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


def python_command(module: str, *arguments: str) -> list[str]:
    """`python -m module arguments` without the working folder on the path of imports (-P)."""
    return [sys.executable, "-P", "-m", module, *arguments]


def child_environment(
    more: Mapping[str, str], *, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The variables of a child: the user's own, made safe, and `more`.

    Grandchildren that Dagster starts inherit them: PYTHONSAFEPATH is -P for those. PYTHONPATH stays, but for
    its empty entries: they stand for the working folder, and mostly by accident (`$PYTHONPATH:/more`).
    Dagster takes the first entry for a script's folder and drops it, so it is given one to drop.
    """
    values = {
        name: value
        for name, value in environment.items()
        if name not in _ANOTHER_PROJECTS and not name.startswith(_ANOTHER_PROJECTS_PREFIXES)
    }
    values["PYTHONSAFEPATH"] = "1"
    if "PYTHONPATH" in values:
        given = [entry for entry in values["PYTHONPATH"].split(os.pathsep) if entry]
        values["PYTHONPATH"] = os.pathsep.join([os.devnull, *given])
    names = [*_NO_PROXY, *([_NO_GRPC_PROXY] if _NO_GRPC_PROXY in values else [])]
    listed = [host for name in names for host in _hosts(values.get(name, ""))]
    without = ",".join(dict.fromkeys([*listed, *LOOPBACK]))
    return values | dict.fromkeys(names, without) | dict(more)


def short_temporary_folder() -> Path | None:
    """A new folder for sockets where the user's own is too deep; None where that will do.

    Raises:
        StoreError: no folder with a short path can be written.
    """
    if len(os.fsencode(tempfile.gettempdir())) <= LONGEST_TMPDIR:
        return None
    for folder in _SHORT_FOLDERS:
        try:
            return Path(tempfile.mkdtemp(prefix="tdw-", dir=folder))
        except OSError:
            continue
    raise StoreError(
        f"TMPDIR is {tempfile.gettempdir()}: too long for the path of a socket",
        f"set TMPDIR to a folder of at most {LONGEST_TMPDIR} bytes that can be written",
    )


def _hosts(value: str) -> Sequence[str]:
    return [host.strip() for host in value.split(",") if host.strip()]
