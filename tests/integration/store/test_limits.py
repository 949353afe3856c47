"""One entity cannot have more events than are folded."""

from hub.domain.envelope import EVENTS_MAX, TOO_MANY
from hub.store import apply, db
from hub.store.records import Record
from hub.store.sealing import Vault
from hub.testing import Database
from tests.integration.store.bakery_day import record

VAULT = Vault(b"a test's secret, 32 bytes or more")


def _payments(first: int, count: int) -> list[Record]:
    return [
        record(
            n,
            "order.paid",
            "website",
            {
                "order_number": "B1",
                "amount": "0.01",
                "currency": "CNY",
                "method": "cash",
                "payment_id": f"p{n}",
            },
            n,
        )
        for n in range(first, first + count)
    ]


async def _outcomes(database: Database, *writes: list[Record]) -> dict[str, int]:
    connection = await db.connect(database.dsn())
    try:
        for records in writes:
            async with connection.transaction():
                await apply.apply(connection, VAULT, records, "cluster")
        rows = await connection.fetch("select reason, count(*) from log.inbox group by reason")
        return {row["reason"] or "none": row["count"] for row in rows}
    finally:
        await connection.close()


async def test_an_order_takes_as_many_events_as_are_folded(database: Database) -> None:
    assert await _outcomes(database, _payments(0, EVENTS_MAX)) == {"none": EVENTS_MAX}


async def test_one_event_more_is_kept_and_ignored_with_its_reason(database: Database) -> None:
    within, beyond = _payments(0, EVENTS_MAX), _payments(EVENTS_MAX, 3)
    outcomes = await _outcomes(database, within, beyond[:1], beyond[1:])
    assert outcomes == {"none": EVENTS_MAX, TOO_MANY.reason: 3}
