"""Two writes that both start a row: a position or an account that did not exist before."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from hub.demo.envelope import Fact, record
from hub.store import apply, db
from hub.store.records import Record, decode
from hub.store.sealing import Vault
from hub.testing import Database

CLUSTER = "test-cluster"
SHOP = "/channels/website/shops/1"


def _record(number: int, kind: str, subject: str, data: dict[str, Any]) -> Record:
    made = record(1_700_000_000 + number, Fact(kind, f"e-{number}", SHOP, subject, data))
    now = datetime.now(UTC)
    return decode(Record(made.topic, 0, number, now, made.key, (), made.value), now)


async def _apply_at_once(database: Database, first: Record, second: Record) -> db.Connection:
    """Apply both in transactions of their own; the second begins before the first commits."""
    vault = Vault(database.settings.secret())
    one, two = [await db.connect(database.dsn("writer")) for _ in range(2)]
    opened = one.transaction()
    await opened.start()
    await apply.apply(one, vault, [first], CLUSTER)

    async def late() -> None:
        async with two.transaction():
            await apply.apply(two, vault, [second], CLUSTER)

    waiting = asyncio.create_task(late())
    await asyncio.sleep(0.2)
    await opened.commit()
    await waiting
    await two.close()
    return one


async def test_two_writes_that_start_one_position_both_count(database: Database) -> None:
    def received(number: int, quantity: str) -> Record:
        data = {"sku": "cake", "place": "xuhui", "quantity": quantity}
        return _record(number, "stock.received", "cake", data)

    connection = await _apply_at_once(database, received(1, "3"), received(2, "4"))
    assert await connection.fetchval("select on_hand_milli from stock_positions") == 7000
    await connection.close()


async def test_two_writes_that_start_one_points_account_both_count(database: Database) -> None:
    def earned(number: int, points: int) -> Record:
        return _record(number, "points.earned", "a-1", {"account": "a-1", "points": points})

    connection = await _apply_at_once(database, earned(1, 30), earned(2, 40))
    assert await connection.fetchval("select open_points from points_accounts") == 70
    await connection.close()
