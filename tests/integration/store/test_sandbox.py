"""What a sandbox tells is checked and kept, and reaches nothing."""

from typing import Any

import msgspec
import pytest

from hub.domain import payloads, sandbox, schemas
from hub.domain.readers import DECIDED_TYPES
from hub.errors import Refused
from hub.store import check, commands, reservations
from hub.store.commands import Asked
from hub.store.reservations import Wanted
from tests.event_maker import NOW, Shop
from tests.integration.store.stage import Store

TOLD = sorted(payloads.BY_TYPE.keys() - DECIDED_TYPES)
HELD_BY_THE_HUB = "select tablename from pg_tables where schemaname = 'hub' order by tablename"


def test_a_sandbox_is_known_by_its_name() -> None:
    assert all(map(sandbox.is_sandbox, ("sandbox", "sandbox-website", "sandbox-")))
    assert not any(map(sandbox.is_sandbox, ("website", "sandboxes", "my-sandbox", "")))


def example(event_type: str, number: int) -> bytes:
    event = msgspec.json.decode(schemas.example(event_type))
    event |= {"id": f"e-{number}", "source": "/channels/sandbox-website/shops/main"}
    return msgspec.json.encode(event)


async def held(store: Store) -> dict[str, int]:
    tables = [row["tablename"] for row in await store.rows(HELD_BY_THE_HUB)]
    return {table: await store.value(f"select count(*) from {table}") for table in tables}


async def test_events_of_every_type_are_kept_and_leave_no_row_in_the_hub(store: Store) -> None:
    before = await held(store)
    tally = await store.take(*(example(one, number) for number, one in enumerate(TOLD)))
    assert (tally.ignored, tally.dead_letters) == (len(TOLD), 0)
    assert await held(store) == before
    rows = await store.rows("select distinct outcome, reason from log.inbox")
    assert rows == [{"outcome": "ignored", "reason": sandbox.IGNORED.reason}]
    assert [one for one in await check.run(store.database.dsn()) if one.violations] == []


async def test_a_real_coupon_is_not_met_by_a_sandbox_of_its_code(store: Store) -> None:
    said: dict[str, Any] = {"code": "CAKE-1", "kind": "exchange"}
    await store.take(Shop("sandbox-website").body("coupon.issued", 0, **said))
    await store.take(Shop("web").body("coupon.issued", 5, **said))
    assert (await store.row("select channel, status from coupons")) == {
        "channel": "web",
        "status": "issued",
    }


async def test_a_sandbox_decides_nothing(store: Store) -> None:
    count = {"sku": "cake", "place": "s1", "quantity": "9", "measured_at": NOW.isoformat()}
    await store.take(Shop("web").body("stock.counted", 1, **count))
    order = reservations.OrderName("sandbox-website", "main", "W1")
    before = await held(store)

    async def work(connection: Any) -> dict[str, Any]:
        wanted = Wanted("s1", (("cake", 1000),), NOW)
        await reservations.reserve(connection, store.vault, order, wanted)
        return {}

    with pytest.raises(Refused, match="sandbox"):
        await commands.once(store.connection, Asked("k", "1", b"-"), work)
    assert await held(store) == before
