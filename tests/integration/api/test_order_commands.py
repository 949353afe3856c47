"""Orders are decided about over HTTP: refunds within what was paid, pick-ups agreed anew."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain import ids
from hub.store import order_commands
from hub.store.sealing import Vault
from tests.event_maker import Shop, at, line

SHOP = Shop("website", "main")
ORDER = ids.text(ids.order_id("website", "main", "W1"))
CONTENT = {
    "order_number": "W1",
    "currency": "CNY",
    "buyer": {"account": "a"},
    "place": "xuhui",
    "lines": [line(1, "cake", 1, "168.00")],
    "total": "168.00",
}
PAID = {"order_number": "W1", "amount": "168.00", "currency": "CNY"}
WANTED = {"refund_id": "r-1", "amount": "100.00", "currency": "CNY"}


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "orders:read", "orders:write")


@pytest.fixture(autouse=True)
async def take(take) -> Any:
    """Takes events; an order is placed and paid."""

    await take(
        SHOP.body("order.placed", 0, **CONTENT),
        SHOP.body("order.paid", 1, **PAID, method="wx", payment_id="p-1"),
    )
    return take


async def post(http, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    named = headers | {"Idempotency-Key": name}
    return await http.post(f"/v1/orders/{ORDER}/{path}", json=body, headers=named)


async def shown(http, headers: dict[str, str]) -> dict[str, Any]:
    return (await http.get(f"/v1/orders/{ORDER}", headers=headers)).json()


async def test_refunds_above_what_was_paid_are_refused_two_operators_at_once(http, headers) -> None:
    answers = await asyncio.gather(
        *(post(http, headers, "refunds", str(n), **WANTED | {"refund_id": f"r-{n}"}) for n in "12")
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (refused,) = (answer for answer in answers if answer.status_code == 409)
    assert refused.json()["errors"] == [{"field": "refundable", "reason": "68.00"}]
    order = await shown(http, headers)
    assert (order["refunding"], order["refunded"], len(order["refunds"])) == ("100.00", "0.00", 1)


async def test_a_refund_is_on_its_way_until_the_channel_tells_its_end(http, headers, take) -> None:
    await post(http, headers, "refunds", "1", **WANTED)
    await take(SHOP.body("refund.succeeded", 9, order_number="W1", **WANTED))
    order = await shown(http, headers)
    assert (order["refunding"], order["refunded"]) == ("0.00", "100.00")
    assert [refund["status"] for refund in order["refunds"]] == ["succeeded"]


async def test_a_refund_sent_again_is_answered_and_not_made_again(http, headers) -> None:
    first = await post(http, headers, "refunds", "1", **WANTED)
    assert (await post(http, headers, "refunds", "1", **WANTED)).json() == first.json()
    assert (await shown(http, headers))["refunding"] == "100.00"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"amount": "168.01"}, 409),
        ({"amount": "1.001"}, 422),
        ({"amount": "-1"}, 422),
        ({"currency": "JPY", "amount": "100"}, 409),
        ({"lines": [{"line": "1", "amount": "99.99"}]}, 422),
        ({"kind": "compensation", "amount": "500.00"}, 201),
        ({"role": "admin"}, 422),
    ],
)
async def test_what_cannot_go_back_is_refused_with_its_reason(
    http, headers, change: dict[str, Any], status: int
) -> None:
    answer = await post(http, headers, "refunds", "1", **WANTED | change)
    assert answer.status_code == status, answer.text


async def test_a_pick_up_is_moved_until_the_goods_are_handed_over(
    http, headers, take, writer
) -> None:
    assert (await post(http, headers, "pickup", "1", place="jingan")).status_code == 200
    committed = await writer.fetchval(
        "select committed_milli from hub.stock_positions where place = 'jingan'"
    )
    assert committed == 1000
    await take(SHOP.body("order.picked_up", 9, order_number="W1"))
    late = await post(http, headers, "pickup", "2", place="xuhui")
    assert late.status_code == 409


async def test_the_timeline_tells_what_all_systems_said_and_what_was_ignored(
    http, headers, take, key_for
) -> None:
    erp = Shop("erp", "1")
    origin = {"channel": "website", "shop": "main", "order_number": "W1"}
    await take(
        SHOP.body("points.redeemed", 2, account="a", points=10, order_number="W1"),
        SHOP.body("order.picked_up", 3, order_number="W1"),
        SHOP.body("order.cancelled", 4, order_number="W1"),
        erp.body("order.placed", 5, **CONTENT | {"order_number": "E-7", "origin": origin}),
    )
    house = await key_for(None, "orders:read")
    answer = await http.get(f"/v1/orders/{ORDER}/timeline", headers=house)
    assert [(one["channel"], one["type"], one["outcome"]) for one in answer.json()["items"]] == [
        ("erp", "order.placed", "applied"),
        ("website", "order.cancelled", "ignored"),
        ("website", "order.picked_up", "applied"),
        ("website", "points.redeemed", "applied"),
        ("website", "order.paid", "applied"),
        ("website", "order.placed", "applied"),
    ]
    own = await http.get(f"/v1/orders/{ORDER}/timeline", headers=headers)
    assert {one["channel"] for one in own.json()["items"]} == {"website"}
    page = await http.get(f"/v1/orders/{ORDER}/timeline?limit=2", headers=house)
    assert len(page.json()["items"]) == 2
    assert page.json()["next_cursor"]


async def test_an_order_reported_by_the_shop_by_the_erp_and_by_the_crm_is_one_order(
    writer, take
) -> None:
    origin = {"channel": "website", "shop": "main", "order_number": "W1"}
    for channel in ("erp", "crm"):
        shop = Shop(channel, "1")
        report = CONTENT | {"order_number": f"{channel}-1", "origin": origin}
        paid = PAID | {"order_number": f"{channel}-1", "method": "wx", "payment_id": "p-1"}
        await take(shop.body("order.placed", 5, **report), shop.body("order.paid", 6, **paid))
    sales = await writer.fetchrow(
        "select count(*) as sales, sum(total_minor)::bigint as total from hub.orders where is_sale"
    )
    assert dict(sales) == {"sales": 1, "total": 168_00}
    committed = await writer.fetchval(
        "select sum(committed_milli)::bigint from hub.stock_positions"
    )
    assert committed == 1000
    assert await writer.fetchval("select sum(open_points)::bigint from hub.points_accounts") == 168


@pytest.mark.parametrize("parent_first", [True, False])
async def test_an_order_that_was_split_counts_by_its_children(
    writer, take, parent_first: bool
) -> None:
    whole = SHOP.body("order.placed", 0, **CONTENT | {"order_number": "P"})
    parts = [
        SHOP.body("order.placed", 2, **CONTENT | {"order_number": f"P-{n}", "parent": "P"})
        for n in "12"
    ]
    for body in (whole, *parts) if parent_first else (*parts, whole):
        await take(body)
    sales = await writer.fetch("select order_number from hub.orders where is_sale order by 1")
    assert [row["order_number"] for row in sales] == ["P-1", "P-2", "W1"]
    committed = await writer.fetchval(
        "select sum(committed_milli)::bigint from hub.stock_positions"
    )
    assert committed == 3000


async def test_a_balance_that_is_never_paid_is_the_buyers_default(
    writer, take, database, http, headers
) -> None:
    deposit = {"kind": "earnest", "amount": "20.00", "balance_due_at": at(60).isoformat()}
    pre_sale = CONTENT | {"order_number": "D", "deposit": deposit}
    paid = PAID | {"order_number": "D", "amount": "20.00"}
    await take(
        SHOP.body("order.placed", 0, **pre_sale),
        SHOP.body("order.paid", 1, **paid, method="wx", payment_id="p-2"),
    )
    vault = Vault(database.settings.secret())
    for due, ended in ((at(59), 0), (datetime.now(UTC) + timedelta(days=999), 1), (at(61), 0)):
        async with writer.transaction():
            assert await order_commands.default_overdue(writer, vault, due) == ended
    order_id = ids.text(ids.order_id("website", "main", "D"))
    order = (await http.get(f"/v1/orders/{order_id}", headers=headers)).json()
    assert (order["status"], order["deposit"]["forfeited"]) == ("cancelled", "20.00")
    named = headers | {"Idempotency-Key": "x"}
    refund = WANTED | {"amount": "0.01"}
    answer = await http.post(f"/v1/orders/{order_id}/refunds", json=refund, headers=named)
    assert answer.status_code == 409


async def test_nobody_who_came_is_a_case_until_somebody_does(writer, take) -> None:
    opened = "select state from hub.cases where kind = 'no_show'"
    await take(SHOP.body("order.no_show", 200, order_number="W1"))
    assert await writer.fetchval(opened) == "open"
    await take(SHOP.body("order.picked_up", 230, order_number="W1"))
    assert await writer.fetchval(opened) == "closed"


async def test_money_that_comes_after_the_cancellation_is_a_case_until_it_went_back(
    writer, take
) -> None:
    opened = "select state from hub.cases where kind = 'paid_after_cancellation'"
    late = {"amount": "168.00", "currency": "CNY", "order_number": "L"}
    await take(
        SHOP.body("order.placed", 0, **CONTENT | {"order_number": "L"}),
        SHOP.body("order.cancelled", 30, order_number="L"),
        SHOP.body("order.paid", 31, **late, method="wx", payment_id="p-3"),
    )
    assert await writer.fetchval(opened) == "open"
    await take(SHOP.body("refund.succeeded", 40, **late, refund_id="r-9"))
    assert await writer.fetchval(opened) == "closed"
