"""HTTP to the outside: to receivers, and to platforms that are asked for something. What a name
resolves to is checked at every connection. Which addresses are allowed: `hub.domain.targets`.
"""

import ipaddress
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from hub.domain.targets import ForbiddenAddress, is_public

CONNECT_TIMEOUT_S = 5.0


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


def client(
    *,
    is_local_allowed: bool,
    timeout_s: float,
    connections: int,
    names: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """A client that keeps no cookies, asks no proxy and unpacks nothing. Who calls checks the URL
    (`check_url`), since an address in it is resolved by nobody, and follows no redirects.

    names: what names resolve to, for tests.
    """
    resolver = names or (ThreadedResolver() if is_local_allowed else PublicResolver())
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=connections)
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S),
        trust_env=False,
        # A small answer that unpacks to a large one reaches nobody.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )
