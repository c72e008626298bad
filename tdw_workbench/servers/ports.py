"""Ports that servers listen at."""

from __future__ import annotations

import socket

from tdw.errors import BadConfig, Busy

HOST = "127.0.0.1"


def require_free(port: int, host: str = HOST) -> None:
    """Check that a server can listen at the port.

    Raises:
        BadConfig: no port has that number.
        Busy: somebody listens there, or the host is no address of this machine.
    """
    if not 1 <= port <= 65535:
        raise BadConfig(f"--port is {port}", "give a port from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        remedy = "stop what listens there, or choose another with --port"
        if host != HOST:
            remedy = f"{remedy}; --host has to be an address of this machine"
        raise Busy(f"port {port} of {host} can't be used ({error.strerror})", remedy) from error


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a server listens at a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
