"""What names of targets resolve to, at every send. Which addresses are allowed:
`hub.domain.targets`."""

import ipaddress
import socket
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from hub.domain.targets import ForbiddenAddress, is_public


class PublicResolver(AbstractResolver):
    """Resolves names to public addresses only; one that is not makes the whole name refused."""

    def __init__(self, inner: AbstractResolver | None = None) -> None:
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host. ForbiddenAddress if any of them is not public."""
        found = await self._inner.resolve(host, port, family)
        for one in found:
            if not is_public(ipaddress.ip_address(one["host"].partition("%")[0])):
                raise ForbiddenAddress(f"{host} does not resolve to a public address")
        return found

    async def close(self) -> None:
        """Nothing is open between calls."""
        await self._inner.close()


def resolver(*, is_local_allowed: bool) -> Any:
    """What the client resolves by."""
    return ThreadedResolver() if is_local_allowed else PublicResolver()
