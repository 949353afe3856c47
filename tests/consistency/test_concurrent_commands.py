"""Thousands of attempts at once on what there is little of: exactly so much is given, and nobody
sees a deadlock.

HUB_ATTEMPTS sets how many clients try: 5,000 is what is promised, fewer keep the tests quick.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from hub.domain.order_data import OrderName
from hub.errors import Refused
from hub.store import (
    apply,
    check,
    commands,
    coupon_commands,
    db,
    member_commands,
    reservations,
    spending,
)
from hub.store.commands import Asked
from hub.store.coupon_commands import Counter as Till
from hub.store.reservations import Wanted
from hub.store.sealing import Vault
from hub.testing import Database
from tests.event_maker import Shop, at, record

ATTEMPTS = int(os.environ.get("HUB_ATTEMPTS", "240"))
CONNECTIONS = 12
UNITS = 100
SHOP = Shop("web", "1")
Work = Callable[[db.Connection], Awaitable[object]]


class Crowd:
    """Clients who all try at once, each over one of a few connections."""

    def __init__(self, database: Database, connections: list[db.Connection]) -> None:
        self.database = database
        self.vault = Vault(database.settings.secret())
        self._free: asyncio.Queue[db.Connection] = asyncio.Queue()
        for connection in connections:
            self._free.put_nowait(connection)

    async def take(self, *bodies: bytes) -> None:
        connection = await self._free.get()
        async with connection.transaction():
            records = [record(body) for body in bodies]
            await apply.apply(connection, self.vault, records, "test-cluster")
        self._free.put_nowait(connection)

    async def value(self, sql: str) -> Any:
        connection = await self._free.get()
        found = await connection.fetchval(sql)
        self._free.put_nowait(connection)
        return found

    async def all_try(self, works: list[Work]) -> Counter[str]:
        """How many came to which end: `done`, or the code of the refusal."""
        ends = await asyncio.gather(*(self._try(n, work) for n, work in enumerate(works)))
        broken = [one for one in await check.run(self.database.dsn()) if one.violations]
        assert broken == []
        return Counter(ends)

    async def _try(self, number: int, work: Work) -> str:
        connection = await self._free.get()

        async def answered(held: db.Connection) -> commands.Answer:
            await work(held)
            return {}

        try:
            asked = Asked("hub_000000000000", f"try-{number}", number.to_bytes(4))
            await commands.once(connection, asked, answered)
        except Refused as refused:
            return refused.code
        finally:
            self._free.put_nowait(connection)
        return "done"


@pytest.fixture
async def crowd(database: Database) -> AsyncIterator[Crowd]:
    connections = [await db.connect(database.dsn("writer")) for _ in range(CONNECTIONS)]
    yield Crowd(database, connections)
    for connection in connections:
        await connection.close()


@pytest.mark.timeout(120 + ATTEMPTS // 10)
async def test_attempts_on_100_units_sell_exactly_100_while_tills_sell_another_item(
    crowd: Crowd,
) -> None:
    for sku, quantity in (("cake", UNITS), ("candle", 10 * ATTEMPTS)):
        counted = {"sku": sku, "place": "xuhui", "quantity": str(quantity)}
        measured = at(0).isoformat()
        await crowd.take(SHOP.body("stock.counted", 0, **counted, measured_at=measured))
    until = datetime.now(UTC) + timedelta(hours=1)

    def wish(number: int) -> Work:
        # Every fourth wants two items, in both orders: locks that cross.
        items = [("cake", 1000), ("candle", 1000)][:: (1, -1)[number % 2]]
        wanted = Wanted("xuhui", items if number % 4 == 0 else [("cake", 1000)], until)
        order = OrderName("web", "1", f"n-{number}")
        return lambda held: reservations.reserve(held, crowd.vault, order, wanted)

    ends = await crowd.all_try([wish(number) for number in range(ATTEMPTS)])
    assert ends == {"done": UNITS, "insufficient_stock": ATTEMPTS - UNITS}
    reserved = "select reserved_milli from stock_positions where sku = 'cake'"
    assert await crowd.value(reserved) == UNITS * 1000


@pytest.mark.timeout(120 + ATTEMPTS // 10)
async def test_the_same_code_redeemed_in_the_stores_and_online_in_the_same_second_counts_once(
    crowd: Crowd,
) -> None:
    await crowd.take(SHOP.body("coupon.issued", 0, code="CAKE-1", kind="exchange"))

    def use(number: int) -> Work:
        till = Till(("web", "mini", "store")[number % 3], "1")
        data = {"code": "cake-1", "redemption_id": f"u-{number}"}
        return lambda held: _redeem(held, crowd.vault, till, data)

    ends = await crowd.all_try([use(number) for number in range(ATTEMPTS)])
    assert ends["done"] == 1
    assert ends.total() == ATTEMPTS
    live = "select count(*) from coupon_redemptions where is_accepted and reversed_at is null"
    assert await crowd.value(live) == 1


async def _redeem(held: db.Connection, vault: Vault, till: Till, data: dict[str, Any]) -> None:
    await coupon_commands.decide(held, vault, till, "coupon.redeemed", data)


@pytest.mark.timeout(120 + ATTEMPTS // 10)
async def test_a_balance_spent_by_two_channels_at_once_is_spent_exactly(crowd: Crowd) -> None:
    phone = [{"type": "phone", "value": "13912345678", "proof": "verified"}]
    for channel in ("web", "mini"):
        shop = Shop(channel, "1")
        await crowd.take(
            shop.body("member.registered", 0, account="a", identifiers=phone),
            shop.body("points.earned", 1, account="a", points=UNITS // 2),
        )

    def spend(number: int) -> Work:
        asked = spending.Asked(("web", "mini")[number % 2], "1", "a", f"n-{number}", 1)
        return lambda held: _spend(held, crowd.vault, asked)

    ends = await crowd.all_try([spend(number) for number in range(ATTEMPTS)])
    assert ends == {"done": UNITS, "points_short": ATTEMPTS - UNITS}
    assert await crowd.value("select sum(open_points)::bigint from points_accounts") == 0
    assert await crowd.value("select sum(debt_points)::bigint from points_accounts") == 0


async def _spend(held: db.Connection, vault: Vault, asked: spending.Asked) -> None:
    await spending.spend(held, vault, asked)


@pytest.mark.timeout(180)
async def test_merges_by_hand_that_cross_each_other_leave_one_survivor_and_no_cycle(
    crowd: Crowd,
) -> None:
    """A<-B with B<-A, A<-B with B<-C, all at once."""
    accounts = [f"a-{n}" for n in range(8)]
    for account in accounts:
        await crowd.take(SHOP.body("member.registered", 0, account=account))
    rows = "select array_agg(member_id order by member_id) from members"
    members: list[bytes] = await crowd.value(rows)
    pairs = list(pairwise(members))
    crossing = [(b, a) for a, b in pairs] + pairs

    def merge(pair: tuple[bytes, bytes]) -> Work:
        return lambda held: _merge(held, crowd.vault, pair)

    ends = await crowd.all_try([merge(pair) for pair in crossing])
    assert ends.total() == ends["done"] + ends["not_two_members"]
    assert ends["done"] >= len(accounts) - 1
    assert await crowd.value("select count(distinct member_id) from profiles") == 1
    survivors = "select count(*) from members where merged_into is null"
    assert await crowd.value(survivors) == 1


async def _merge(held: db.Connection, vault: Vault, pair: tuple[bytes, bytes]) -> None:
    await member_commands.merge(held, vault, pair, "the same person")
