"""The board of all stock: what is short, who is still to be told, what was oversold."""

from typing import Any
from uuid import UUID

import pytest

from hub.domain import ids
from tests.event_maker import Shop, at, line

WEB = Shop("website", "main")
DELIVERY = """
    insert into hub.deliveries (delivery_id, subscription_id, type, event_key, xid, outbox_id,
        order_key, sku, place, state, ended_at)
    values (gen_random_uuid(), $1, 'stock.changed', gen_random_uuid(), pg_current_xact_id(), 1,
        $2 || '@s1', $2, 's1', $3, case when $3 = 'delivered' then now() end)
"""


@pytest.fixture
async def house(key_for) -> dict[str, str]:
    return await key_for(None, "stock:read")


@pytest.fixture(autouse=True)
async def shelves(take) -> None:
    """Three cakes; of the last one of `bread` two were sold."""
    await take(
        WEB.body("item.upserted", 0, sku="CAKE-6", name="草莓生日蛋糕"),
        *(
            WEB.body("stock.counted", 1, sku=sku, place=place, quantity=quantity,
                     measured_at=at(1).isoformat())
            for sku, place, quantity in (("CAKE-6", "s1", "3"), ("CAKE-6", "s2", "0"),
                                         ("bread", "s1", "1"))
        ),
        WEB.body("order.placed", 2, order_number="W1", currency="CNY", total="2.00", place="s1",
                 lines=[line(1, "bread", 2, "1.00")]),
    )  # fmt: skip


async def board(http, headers: dict[str, str], query: str = "") -> dict[str, Any]:
    answer = await http.get(f"/v1/stock{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def seen(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["sku"], one["place"], one["available"]) for one in found["items"]]


async def test_all_positions_are_listed_by_pages_and_what_is_short_alone(http, house) -> None:
    first = await board(http, house, "?limit=2")
    rest = await board(http, house, f"?limit=2&cursor={first['next_cursor']}")
    everything = [("CAKE-6", "s1", "3"), ("CAKE-6", "s2", "0"), ("bread", "s1", "-1")]
    assert sorted(seen(first) + seen(rest)) == sorted(everything)
    short = await board(http, house, "?is_short=true")
    assert sorted(seen(short)) == sorted(everything[1:])
    assert seen(await board(http, house, "?text=生日&place=s1")) == [("CAKE-6", "s1", "3")]


async def test_what_was_oversold_leads_to_its_case(http, house, writer) -> None:
    found = {(one["sku"], one["place"]): one for one in (await board(http, house))["items"]}
    [(case_id,)] = await writer.fetch("select case_id from hub.cases where kind = 'oversold'")
    assert found["bread", "s1"]["case_id"] == ids.text(case_id)
    assert found["CAKE-6", "s1"]["case_id"] is None


async def test_who_is_still_to_be_told_is_said(http, house, key_for, writer) -> None:
    web = await key_for("website", "subscriptions:write")
    wanted = {"label": "shop", "target_url": "https://example.com/hook", "types": ["stock.changed"]}
    made = await http.post("/v1/subscriptions", json=wanted, headers=web)
    assert made.status_code == 201, made.text
    subscription_id = made.json()["subscription_id"]
    for sku, state in (("CAKE-6", "delivered"), ("bread", "waiting")):
        await writer.execute(DELIVERY, UUID(subscription_id).bytes, sku, state)
    found = await board(http, house)
    (receiver,) = found["receivers"]
    assert (receiver["channel"], receiver["label"], receiver["waiting"]) == ("website", "shop", 1)
    assert receiver["told_at"] is not None
    awaited = {one["sku"]: one["awaited_by"] for one in found["items"] if one["place"] == "s1"}
    assert awaited == {"CAKE-6": [], "bread": [subscription_id]}


async def test_a_channels_key_does_not_see_who_else_is_told(http, key_for) -> None:
    headers = await key_for("website", "stock:read")
    assert (await http.get("/v1/stock", headers=headers)).status_code == 403
