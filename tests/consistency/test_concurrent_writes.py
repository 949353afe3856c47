"""Two writers that cross each other: merges both ways, the same goods, the same orders."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hub.domain import ids
from hub.store import apply, check, db
from hub.store.digest import digest
from hub.store.sealing import Vault
from hub.testing import Database
from tests.event_maker import Shop, line, record

ROUNDS = 4
TRIES_MAX = 20
WAITS = """
    select exists (
        select from pg_locks as l
        inner join pg_stat_activity as a on l.pid = a.pid
        where a.datname = current_database() and not l.granted
    )
"""


class Pair:
    """Two connections that write at once; a write that the database ended is tried again."""

    def __init__(self, database: Database, connections: list[db.Connection]) -> None:
        self.database = database
        self.connections = connections
        self.vault = Vault(database.settings.secret())
        self.ended = 0

    async def write(self, writer: int, batches: list[list[bytes]]) -> None:
        for batch in batches:
            for _ in range(TRIES_MAX):
                try:
                    async with self.connections[writer].transaction():
                        await apply.apply(
                            self.connections[writer],
                            self.vault,
                            [record(body) for body in batch],
                            "test-cluster",
                        )
                    break
                except asyncpg.TransactionRollbackError:
                    self.ended += 1
            else:
                raise AssertionError("a write was ended every time")

    async def at_once(self, first: list[list[bytes]], second: list[list[bytes]]) -> dict[str, str]:
        """The digest after both have written at the same time."""
        async with asyncio.TaskGroup() as writers:
            writers.create_task(self.write(0, first))
            writers.create_task(self.write(1, second))
        assert not [r for r in await check.run(self.database.dsn()) if r.violations]
        return await digest(self.connections[0])


@pytest.fixture
async def pair(database: Database) -> AsyncIterator[Pair]:
    connections = [await db.connect(database.dsn("writer")) for _ in range(2)]
    yield Pair(database, connections)
    for connection in connections:
        await connection.close()


def shown(shop: Shop, account: int, *phones: int) -> bytes:
    """A member event: this account proves these phone numbers."""
    return shop.body(
        "member.identified",
        account,
        account=f"a-{account}",
        identifiers=[
            {"type": "phone", "value": f"1391234{1000 + n}", "proof": "verified"} for n in phones
        ],
    )


async def test_merges_that_cross_each_other_end_as_one_member(pair: Pair) -> None:
    """A chain of accounts, each sharing a number with the next, is joined from both ends."""
    chance = random.Random(4)
    web, mini = Shop("web"), Shop("mini")

    def batches(shop: Shop, accounts: list[int]) -> list[list[bytes]]:
        bodies = [shown(shop, n, n, n + 1) for n in accounts]
        sizes = chance.choices((1, 2, 5, 9), k=len(bodies))
        starts = [sum(sizes[:n]) for n in range(len(sizes)) if sum(sizes[:n]) < len(bodies)]
        return [bodies[a:b] for a, b in zip(starts, [*starts[1:], None], strict=True)]

    for turn in range(ROUNDS):
        accounts = list(range(turn * 100, turn * 100 + 60))
        mixed = chance.sample(accounts, len(accounts))
        await pair.at_once(
            batches(web, accounts if turn % 2 else mixed),
            batches(mini, accounts[::-1] if turn % 2 else mixed[::-1]),
        )
        members = await pair.connections[0].fetchval(
            "select count(distinct member_id) from profiles"
        )
        assert members == turn + 1


async def test_orders_of_the_same_goods_do_not_end_each_other(pair: Pair) -> None:
    def orders(channel: str, skus: list[str]) -> list[bytes]:
        shop = Shop(channel)
        bodies = []
        for number in range(40):
            lines = [line(n, sku, 1, "1") for n, sku in enumerate(skus)]
            order = {"order_number": f"n-{number}", "currency": "CNY"}
            placed = order | {"lines": lines, "total": str(len(skus)), "place": "xuhui"}
            buyer = {"buyer": {"account": f"a-{number % 3}"}}
            bodies.append(shop.body("order.placed", 1, **(placed | buyer)))
            paid = {"amount": str(len(skus)), "method": "wx", "payment_id": "p"}
            bodies.append(shop.body("order.paid", 2, **(order | paid)))
        return bodies

    def batches(bodies: list[bytes]) -> list[list[bytes]]:
        return [bodies[start : start + 10] for start in range(0, len(bodies), 10)]

    skus = [f"sku-{n}" for n in range(12)]
    await pair.at_once(batches(orders("web", skus)), batches(orders("mini", skus[::-1])))
    committed = await pair.connections[0].fetch("select committed_milli from stock_positions")
    assert [row["committed_milli"] for row in committed] == [80_000] * 12
    open_points = await pair.connections[0].fetchval("select sum(open_points) from points_accounts")
    assert open_points == 2 * 40 * 12
    assert pair.ended == 0


async def test_placed_and_paid_of_one_order_by_two_writers_meet(pair: Pair) -> None:
    """As where a shop and its payment service write to Kafka with keys of their own."""
    shop = Shop()
    placed, paid = [], []
    for number in range(60):
        order = {"order_number": f"n-{number}", "currency": "CNY"}
        content = {"lines": [line(1, "cake", 1, "1")], "total": "1", "place": "xuhui"}
        placed.append([shop.body("order.placed", 1, **(order | content))])
        payment = {"amount": "1", "method": "wx", "payment_id": "p"}
        paid.append([shop.body("order.paid", 2, **(order | payment))])
    await pair.at_once(placed, paid)
    status = await pair.connections[0].fetch("select distinct payment_status from orders")
    assert [row["payment_status"] for row in status] == ["paid"]
    assert await pair.connections[0].fetchval("select count(*) from parked") == 0


async def test_the_same_event_by_two_writers_counts_once(pair: Pair) -> None:
    shop = Shop()
    bodies = [
        [shop.body("stock.received", 1, sku=f"s-{n % 5}", place="xuhui", quantity="1")]
        for n in range(50)
    ]
    await pair.at_once(bodies, bodies)
    assert (
        await pair.connections[0].fetchval("select sum(on_hand_milli) from stock_positions")
        == 50_000
    )
    assert await pair.connections[0].fetchval("select count(*) from log.events") == 50
    assert pair.ended == 0


async def test_a_write_that_began_first_and_came_second_is_not_forgotten(pair: Pair) -> None:
    """Its events were received before those of the write that made the order's row."""
    shop, (slow, quick) = Shop(), pair.connections
    order = {"order_number": "n", "currency": "CNY"}
    content = {"lines": [line(1, "cake", 1, "1")], "total": "1", "place": "xuhui"}
    payment = {"amount": "1", "method": "wx", "payment_id": "p"}
    async with slow.transaction():
        await slow.fetchval("select now()")
        await pair.write(1, [[shop.body("order.placed", 1, **(order | content))]])
        paid = record(shop.body("order.paid", 2, **(order | payment)))
        await apply.apply(slow, pair.vault, [paid], "test-cluster")
    await pair.write(1, [[shop.body("order.completed", 3, order_number="n")]])
    assert await quick.fetchval("select payment_status from orders") == "paid"
    assert await quick.fetchval("select event_count from orders") == 3


async def test_two_writers_that_bring_an_items_first_name_keep_the_newer_one(pair: Pair) -> None:
    shop, (slow, _) = Shop(), pair.connections
    for turn, slow_minute in ((1, 1), (2, 9)):
        one = shop.body("item.upserted", slow_minute, sku=f"s{turn}", name=f"{slow_minute}")
        other = shop.body("item.upserted", 5, sku=f"s{turn}", name="5")
        await meets(pair, [one], [other])
        name = await slow.fetchval("select name from items where sku = $1", f"s{turn}")
        assert name == str(max(slow_minute, 5))


async def meets(pair: Pair, slow: list[bytes], quick: list[bytes]) -> None:
    """One write stays open while another begins."""
    transaction = pair.connections[0].transaction()
    await transaction.start()
    records = [record(body) for body in slow]
    await apply.apply(pair.connections[0], pair.vault, records, "test-cluster")
    waiting = asyncio.create_task(pair.write(1, [quick]))
    while True:
        if waiting.done() or await pair.connections[0].fetchval(WAITS):
            break
        await asyncio.sleep(0.01)
    await transaction.commit()
    await waiting
    assert not [r for r in await check.run(pair.database.dsn()) if r.violations]


@pytest.mark.parametrize("is_spent_first", [True, False])
async def test_a_spending_of_a_friends_points_meets_the_word_that_they_are_two(
    pair: Pair, is_spent_first: bool
) -> None:
    """Whoever is first: the spending is borne by who made it, and what comes later keeps the
    books."""
    web, mini = Shop("web"), Shop("mini")
    mates = [ids.profile_id(channel, "a-1") for channel in ("web", "mini")]
    shares = [
        {"profile_id": ids.text(mate), "points": n} for mate, n in zip(mates, (80, 30), strict=True)
    ]
    earned = [
        shop.body("points.earned", 2, account="a-1", points=points)
        for shop, points in ((web, 100), (mini, 50))
    ]
    await pair.write(0, [[shown(web, 1, 1), shown(mini, 1, 1), *earned]])
    named = {"account": "a-1", "order_number": "w-1", "points": 110, "shares": shares}
    spent = web.decision("points.spent", 10, **named)
    other = {"channel": "mini", "account": "a-1"}
    split = web.decision("member.split", 11, account="a-1", other=other)
    await meets(pair, *(([spent], [split]) if is_spent_first else ([split], [spent])))
    returned = web.body("points.returned", 12, account="a-1", order_number="w-1", points=10)
    await pair.write(0, [[returned]])
    rows = await pair.connections[0].fetch("select profile_id, spent_points from points_accounts")
    spent_by = {row["profile_id"]: row["spent_points"] for row in rows}
    assert (spent_by[mates[0]], spent_by[mates[1]]) == (100, 0)
    assert not [r for r in await check.run(pair.database.dsn()) if r.violations]


@pytest.mark.parametrize("is_over_first", [True, False])
async def test_a_coupon_that_is_issued_late_meets_the_end_of_the_order_it_was_used_on(
    pair: Pair, is_over_first: bool
) -> None:
    """Its use was told before the coupon, and returns with the order."""
    shop = Shop()
    order = {"order_number": "n", "currency": "CNY"}
    content = {"lines": [line(1, "cake", 1, "1")], "total": "1", "place": "xuhui"}
    payment = {"amount": "1", "method": "wx", "payment_id": "p"}
    used = {"code": "C", "redemption_id": "u", "order_number": "n"}
    before = [
        shop.body("order.placed", 1, **(order | content)),
        shop.body("order.paid", 2, **(order | payment)),
        shop.body("coupon.redeemed", 3, **used),
    ]
    await pair.write(0, [before])
    over = [shop.body("refund.succeeded", 5, **order, refund_id="r", amount="1")]
    issued = [shop.body("coupon.issued", 0, code="C", kind="discount", account="a-1")]
    await meets(pair, *((over, issued) if is_over_first else (issued, over)))
    assert await pair.connections[0].fetchval("select uses_redeemed from coupons") == 0
