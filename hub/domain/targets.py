"""Where anything may be sent: never to this machine, a private network or a cloud's metadata. Pure.

What a name resolves to is checked at every send, on the address of that moment
(`hub.outward`): a name that points inside tomorrow is refused tomorrow.
"""

import ipaddress
from urllib.parse import urlsplit

from hub.errors import HubError

URL_LENGTH_MAX = 2_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenAddress(HubError):
    """Nothing may be sent to this address."""


def check_url(url: str, *, is_local_allowed: bool) -> None:
    """Refuse what can't be a target, whatever its name resolves to."""
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise ForbiddenAddress("a target is a URL of at most 2,000 ASCII characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ForbiddenAddress("the target is no URL") from None
    wanted = ("https", "http") if is_local_allowed else ("https",)
    if parts.scheme not in wanted or not host:
        raise ForbiddenAddress("the target has to begin with https:// and name a host")
    if parts.username or parts.password or parts.fragment:
        raise ForbiddenAddress("the target may hold no password and no fragment")
    if is_local_allowed:
        return
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return
    if not is_public(address):
        raise ForbiddenAddress(f"{host} is not a public address")


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether this is an address of the internet, in whatever spelling."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is not None:
            return is_public(inner)
        if address in _NAT64:
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast
