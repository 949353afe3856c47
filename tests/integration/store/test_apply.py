"""Records become rows: what each event writes, once."""

import json
from typing import Any

from hub.domain import ids, payloads, readers, schemas
from hub.store import check
from tests.event_maker import NOW, Shop, at, line, record
from tests.integration.store.stage import Store

WEB, MINI = "web", "mini"
PLACED: dict[str, Any] = {
    "order_number": "n-1",
    "currency": "CNY",
    "lines": [line(1, "cake", 2, "30.00"), line(2, "candle", 1, "5.50")],
    "total": "65.50",
    "place": "xuhui",
    "buyer": {"account": "a"},
}
NUMBER = {"order_number": "n-1"}


def paid(shop: Shop, minute: float, amount: str = "65.50") -> bytes:
    return shop.body(
        "order.paid", minute, **NUMBER, amount=amount, currency="CNY", method="wx", payment_id="p"
    )


def refunded(shop: Shop, minute: float, amount: str) -> bytes:
    data = NUMBER | {"amount": amount, "currency": "CNY", "refund_id": f"r-{minute}"}
    return shop.body("refund.succeeded", minute, **data)


def points(shop: Shop, kind: str, minute: float, amount: int) -> bytes:
    return shop.body(f"points.{kind}", minute, account="a", points=amount)


def member(shop: Shop, minute: float, *shown: tuple[str, str], **more: Any) -> bytes:
    identifiers = [{"type": t, "value": v, "proof": "verified"} for t, v in shown]
    return shop.body("member.identified", minute, account="a", identifiers=identifiers, **more)


async def test_an_order_becomes_its_rows(store: Store) -> None:
    shop = Shop()
    tally = await store.take(
        shop.body("order.placed", 0, **PLACED),
        paid(shop, 5),
        shop.body("order.completed", 9, **NUMBER),
    )
    assert (tally.applied, tally.events) == (3, 3)
    order = await store.row("select * from orders")
    assert order["order_id"] == ids.order_id("web", "1", "n-1")
    assert (order["status"], order["payment_status"]) == ("completed", "paid")
    assert (order["gross_minor"], order["total_minor"], order["paid_minor"]) == (6550, 6550, 6550)
    assert (order["placed_at"], order["paid_at"]) == (at(0), at(5))
    lines = await store.rows("select sku, fulfilled_milli from order_lines order by line")
    assert lines == [
        {"sku": "cake", "fulfilled_milli": 2000},
        {"sku": "candle", "fulfilled_milli": 1000},
    ]
    positions = await store.rows(
        "select sku, on_hand_milli, committed_milli from stock_positions order by sku"
    )
    assert positions == [
        {"sku": "cake", "on_hand_milli": -2000, "committed_milli": 0},
        {"sku": "candle", "on_hand_milli": -1000, "committed_milli": 0},
    ]
    account = await store.row("select profile_id, open_points from points_accounts")
    assert account == {"profile_id": ids.profile_id("web", "a"), "open_points": 65}
    assert await store.value("select count(*) from outbox") == 3


async def test_every_example_is_taken(store: Store) -> None:
    # What the hub decides itself does not come from outside, and is not measured by its clock.
    clocks = {True: None, False: NOW}
    tally = await store.take(
        *(
            record(schemas.example(name), now=clocks[name in readers.DECIDED_TYPES])
            for name in payloads.BY_TYPE
        )
    )
    assert tally.dead_letters == 0
    assert tally.applied + tally.parked + tally.ignored == len(payloads.BY_TYPE)
    assert tally.applied >= 25
    assert not [result for result in await check.run(store.database.dsn()) if result.violations]


async def test_repeated_events_change_nothing(store: Store) -> None:
    shop = Shop()
    bodies = [
        shop.body("order.placed", 0, **PLACED),
        paid(shop, 5),
        refunded(shop, 6, "10.00"),
        points(shop, "redeemed", 7, 20),
        shop.body("coupon.issued", 0, code="c", kind="times"),
        shop.body("stock.counted", 3, sku="cake", place="xuhui", quantity="5",
                  measured_at=at(2).isoformat()),
        member(shop, 1, ("phone", "13912345678")),
        shop.body("item.upserted", 1, sku="cake", name="Cake"),
    ]  # fmt: skip
    first = await store.take(*bodies, *bodies)
    assert (first.applied, first.duplicates) == (len(bodies), len(bodies))
    before = await store.everything()
    for body in reversed(bodies):
        tally = await store.take(body, body)
        assert (tally.duplicates, tally.events) == (2, 2)
    assert await store.everything() == before


async def test_paid_before_placed_waits_and_is_announced_once(store: Store) -> None:
    shop = Shop()
    await store.take(paid(shop, 5))
    assert await store.outcomes() == {"e-1": "parked: order.placed"}
    assert await store.value("select waits_for from parked") == "order.placed"
    assert await store.value("select count(*) from outbox") == 0
    await store.take(shop.body("order.placed", 0, **PLACED))
    assert await store.outcomes() == {"e-1": "applied", "e-2": "applied"}
    assert await store.value("select count(*) from parked") == 0
    assert await store.value("select count(*) from outbox") == 2
    assert await store.value("select paid_minor from orders") == 6550


async def test_an_effect_taken_back_and_brought_again_is_announced_once(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED), paid(shop, 1))
    await store.take(refunded(shop, 6, "60.00"))
    earlier = refunded(shop, 5, "60.00")  # then the later refund is above what was paid
    await store.take(earlier)
    assert (await store.outcomes())["e-3"] == "parked: order.paid"
    assert await store.value("select waits_for from parked") == "order.paid"
    data = NUMBER | {"amount": "60", "currency": "CNY", "method": "wx", "payment_id": "p-2"}
    await store.take(shop.body("order.paid", 2, **data))
    assert set((await store.outcomes()).values()) == {"applied"}
    assert await store.value("select count(*) from parked") == 0
    facts = await store.rows("select event_key, count(*) as times from outbox group by event_key")
    assert {fact["times"] for fact in facts} == {1}


async def test_a_member_event_after_points_of_the_account_is_taken(store: Store) -> None:
    shop = Shop()
    await store.take(points(shop, "earned", 1, 50))
    assert (await store.take(member(shop, 2, ("phone", "13912345678")))).applied == 1
    assert (await store.take(points(shop, "earned", 3, 50))).applied == 1
    assert await store.value("select open_points from points_accounts") == 100


async def test_an_order_refunded_in_full_leaves_no_points_open(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED), paid(shop, 1))
    await store.take(refunded(shop, 6, "65.50"))
    assert await store.row("select earned_points, open_points from points_lots") == {
        "earned_points": 0,
        "open_points": 0,
    }


async def test_refund_of_spent_points_opens_a_debt_that_earnings_repay(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED), paid(shop, 1))
    await store.take(points(shop, "redeemed", 2, 60))
    await store.take(refunded(shop, 6, "65.50"))
    balance = "select open_points, debt_points from points_accounts"
    assert await store.row(balance) == {"open_points": 0, "debt_points": 60}
    await store.take(points(shop, "earned", 7, 100))
    assert await store.row(balance) == {"open_points": 40, "debt_points": 0}


async def test_points_taken_back_by_hand_are_taken_from_the_balance(store: Store) -> None:
    shop = Shop()
    await store.take(points(shop, "earned", 1, 50))
    await store.take(points(shop, "adjusted", 2, -30))
    await store.take(points(shop, "adjusted", 3, -30))
    balance = await store.row("select open_points, debt_points from points_accounts")
    assert balance == {"open_points": 0, "debt_points": 10}


async def test_an_order_that_changes_its_buyer_takes_its_points_along(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED), paid(shop, 1))
    await store.take(shop.body("order.amended", 2, **(PLACED | {"buyer": {"account": "b"}})))
    accounts = await store.rows("select profile_id, open_points from points_accounts")
    assert {row["profile_id"]: row["open_points"] for row in accounts} == {
        ids.profile_id("web", "a"): 0,
        ids.profile_id("web", "b"): 65,
    }


async def test_goods_sold_below_nothing_open_a_case_that_more_goods_close(store: Store) -> None:
    shop = Shop()
    where = {"sku": "cake", "place": "xuhui"}
    counted = shop.body("stock.counted", 1, **where, quantity="1", measured_at=at(1).isoformat())
    await store.take(counted)
    await store.take(shop.body("order.placed", 2, **PLACED))
    case = await store.row("select state, object_key, opened_at from cases")
    assert (case["state"], case["object_key"]) == ("open", "xuhui/cake")
    await store.take(shop.body("stock.adjusted", 3, **where, delta="-1"))
    assert await store.value("select opened_at from cases") == case["opened_at"]
    await store.take(shop.body("stock.received", 4, **where, quantity="10"))
    closed = await store.row("select state, opened_at from cases")
    assert closed == {"state": "closed", "opened_at": case["opened_at"]}


async def test_accounts_that_share_a_proven_number_are_one_member(store: Store) -> None:
    web, mini, till = Shop(WEB), Shop(MINI), Shop("store")
    await store.take(member(web, 1, ("phone", "13912345678")))
    await store.take(member(mini, 2, ("phone", "+86 139 1234 5678"), ("unionid", "u-1")))
    await store.take(member(till, 3, ("unionid", "u-1")))
    profiles = [ids.profile_id(channel, "a") for channel in (WEB, MINI, "store")]
    rows = await store.rows("select profile_id, member_id from profiles")
    assert {row["profile_id"]: row["member_id"] for row in rows} == dict.fromkeys(
        profiles, min(profiles)
    )
    merged = await store.rows(
        "select merged_into from members where member_id <> $1", min(profiles)
    )
    assert [row["merged_into"] for row in merged] == [min(profiles)] * 2


async def test_a_number_merely_typed_or_blocked_joins_nobody(store: Store) -> None:
    web, mini = Shop(WEB), Shop(MINI)
    typed = [{"type": "phone", "value": "13912345678"}]
    await store.take(
        member(web, 1, ("phone", "13912345678"), ("phone", "13800138000")),
        member(mini, 2, ("phone", "13800138000")),
        mini.body("member.updated", 3, account="a", identifiers=typed),
    )
    assert await store.value("select count(distinct member_id) from profiles") == 2


async def test_every_account_that_is_named_anywhere_has_a_profile(store: Store) -> None:
    shop = Shop()
    await store.take(
        shop.body("points.earned", 0, account="by-points", points=1),
        shop.body("order.placed", 0, **(PLACED | {"buyer": {"account": "by-order"}})),
        shop.body("coupon.claimed", 0, code="c", account="by-coupon"),
    )
    accounts = await store.rows("select account from profiles")
    assert {row["account"] for row in accounts} == {"by-points", "by-order", "by-coupon"}


async def test_the_same_number_in_two_shops_is_two_orders(store: Store) -> None:
    bodies = [Shop("web", shop).body("order.placed", 0, **PLACED) for shop in ("1", "2")]
    await store.take(*bodies)
    assert await store.value("select count(*) from orders") == 2


async def test_lines_that_an_amendment_drops_are_gone(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED))
    amended = PLACED | {"lines": [line(2, "candle", 3, "5.50")], "total": "16.50"}
    await store.take(shop.body("order.amended", 1, **amended))
    assert await store.rows("select line, quantity_milli from order_lines") == [
        {"line": "2", "quantity_milli": 3000}
    ]


async def test_text_that_means_something_elsewhere_stays_text(store: Store) -> None:
    sql = "'); drop table hub.items; --"
    await store.take(Shop().body("item.upserted", 0, sku=sql, name="=cmd|' /C calc'!A0"))
    assert await store.row("select sku, name from items") == {
        "sku": sql,
        "name": "=cmd|' /C calc'!A0",
    }


async def test_a_binary_event_is_folded_again_from_the_log(store: Store) -> None:
    shop = Shop()
    await store.take(shop.body("order.placed", 0, **PLACED))
    event = json.loads(paid(shop, 5))
    data = json.dumps(event.pop("data")).encode()
    headers = [(f"ce_{name}", str(value).encode()) for name, value in event.items()]
    await store.take(record(data, headers=headers))
    await store.take(shop.body("order.completed", 9, **NUMBER))
    assert await store.value("select payment_status from orders") == "paid"
