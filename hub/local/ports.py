"""TCP ports of this machine: free or taken, and by whom."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psutil

from hub.errors import PortTakenError


@dataclass(frozen=True)
class Taken:
    """A port that another process listens on."""

    name: str
    port: int
    by: str

    @property
    def why(self) -> str:
        """In words."""
        return f"port {self.port} (for {self.name}) is used by {self.by}"


def taken(wanted: Iterable[tuple[str, int]]) -> list[Taken]:
    """Those of the wanted (service, port) that are not free."""
    return [Taken(name, port, owner(port)) for name, port in wanted if not is_free(port)]


def refuse_taken(wanted: Iterable[tuple[str, int]]) -> None:
    """Raise `PortTakenError` if any is."""
    problems = taken(wanted)
    if problems:
        raise PortTakenError(
            "; ".join(problem.why for problem in problems),
            mend="stop that process, or set HUB_PORT_BASE (or the one port) to something else",
        )


def is_free(port: int) -> bool:
    """Whether we could listen on it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def owner(port: int) -> str:
    """Name and pid of who listens there, as far as we may see it."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.Error:
        return "another process"
    for one in connections:
        if one.status == psutil.CONN_LISTEN and _port(one.laddr) == port and one.pid:
            try:
                return f"{psutil.Process(one.pid).name()} (pid {one.pid})"
            except psutil.Error:
                return f"pid {one.pid}"
    return "another process"


def _port(address: Any) -> int | None:
    """Of a psutil address, which is empty for sockets without one."""
    return address.port if address else None
