"""Where deliveries may go, and what follows from a receiver's answer."""

import ipaddress
import socket
from datetime import timedelta

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import delivering
from hub.domain.delivering import Answer, Wanted
from hub.domain.targets import ForbiddenAddress, check_url, is_public
from hub.outward import PublicResolver

INSIDE = (
    "127.0.0.1",
    "10.0.0.8",
    "172.16.4.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "::1",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "224.0.0.1",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_no_target_in_whatever_spelling(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(ForbiddenAddress):
        check_url(f"https://{literal}/hook", is_local_allowed=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111"])
def test_an_address_of_the_internet_is_a_target(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


class FakeResolver(AbstractResolver):
    """Answers with these addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=one, port=port, family=family, proto=0, flags=0)
            for one in self.addresses
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_resolves_inside_is_refused_at_every_send() -> None:
    rebound = FakeResolver("1.1.1.1", "127.0.0.1")
    with pytest.raises(ForbiddenAddress):
        await PublicResolver(rebound).resolve("shop.example", 443)
    outside = FakeResolver("1.1.1.1")
    assert await PublicResolver(outside).resolve("shop.example", 443)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "localhost"])
async def test_other_spellings_of_this_machine_are_refused_once_resolved(host: str) -> None:
    check_url(f"https://{host}/", is_local_allowed=False)
    with pytest.raises((ForbiddenAddress, OSError)):
        await PublicResolver().resolve(host, 443)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "https://user:secret@shop.example/",
        "https:///hook",
        "https://shop.example/\r\nX-Evil: 1",
        "https://[::1",
        "https://shop.example/" + "a" * 2_000,
        "javascript:alert(1)",
    ],
)
def test_what_is_no_https_url_is_no_target(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        check_url(url, is_local_allowed=False)


def test_a_channel_is_told_what_concerns_it() -> None:
    wanted = Wanted("web", frozenset({"order.*", "coupon.issued"}), has_own_events=False)
    assert wanted.takes("order.cancelled", "web", is_decided=True)
    assert not wanted.takes("order.placed", "web", is_decided=False)
    assert not wanted.takes("order.cancelled", "mini-program", is_decided=True)
    assert not wanted.takes("coupon.expired", "web", is_decided=True)


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (302, "again"),
        (400, "again"),
        (410, "gone"),
        (429, "away"),
        (500, "away"),
        (None, "away"),
    ],
)
def test_an_answer_decides_what_becomes_of_a_delivery(status: int | None, verdict: str) -> None:
    assert delivering.verdict(Answer(status), 1, timedelta()) == verdict


def test_a_delivery_is_given_up_after_the_schedule_of_standard_webhooks() -> None:
    assert timedelta(hours=75, minutes=35, seconds=5) == delivering.GIVES_UP_AFTER
    last = len(delivering.WAITS)
    assert delivering.verdict(Answer(400), last, timedelta(hours=75)) == "again"
    assert delivering.verdict(Answer(400), last + 1, timedelta(hours=75)) == "failed"
    assert delivering.verdict(Answer(503), 999, timedelta(hours=75)) == "away"
    assert delivering.verdict(Answer(503), 999, timedelta(hours=76)) == "failed"


@given(st.integers(1, 10_000), st.floats(0, 1), st.integers(0, 10**9))
def test_a_receiver_that_is_away_is_looked_at_again_within_an_hour(
    failures: int, chance: float, asked_s: int
) -> None:
    wait = delivering.away_wait(failures, chance, timedelta(seconds=asked_s))
    assert delivering.AWAY_WAIT_MIN <= wait <= delivering.RETRY_AFTER_MAX
