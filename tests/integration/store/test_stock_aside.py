"""Goods that are there and cannot be sold, goods on their way, and more sold than there is."""

from itertools import permutations
from typing import Any

from hub.store import check, configs, replay, reservations
from hub.store.configs import Draft
from hub.store.reservations import OrderName, Wanted
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

WEB, TILL, ERP = Shop("web", "1"), Shop("store", "x"), Shop("erp", "main")


def counted(quantity: str, minute: float = 0) -> bytes:
    measured_at = at(minute).isoformat()
    data = {"sku": "cake", "place": "s1", "quantity": quantity, "measured_at": measured_at}
    return ERP.body("stock.counted", minute, **data)


def placed(shop: Shop, number: str, minute: float, quantity: int = 1) -> bytes:
    lines = [line(1, "cake", quantity, "10.00")]
    data = {"order_number": number, "currency": "CNY", "place": "s1", "lines": lines}
    return shop.body("order.placed", minute, **data, total=f"{quantity * 10}.00")


def returned(number: str, minute: float, restock: bool | None) -> bytes:
    lines = [{"line": "1", "quantity": "2"}]
    data: dict[str, Any] = {"order_number": number, "lines": lines, "restock": restock}
    return WEB.body("return.received", minute, **data)


def transfer(kind: str, minute: float, quantity: str) -> bytes:
    data = {"transfer_id": "T1", "sku": "cake", "to_place": "s1", "quantity": quantity}
    more = {"from_place": "w1"} if kind == "dispatched" else {}
    return ERP.body(f"stock.{kind}", minute, **data, **more)


async def position(store: Store, place: str = "s1") -> dict[str, int]:
    """What is not nothing of a position, in whole units."""
    row = await store.row("select * from stock_positions where place = $1", place)
    return {
        name.removesuffix("_milli"): row[name] // 1000
        for name in row
        if name.endswith("_milli") and row[name]
    }


async def open_cases(store: Store) -> list[dict[str, Any]]:
    return await store.rows("select * from cases where state = 'open' order by kind, object_key")


async def assert_sound(store: Store) -> None:
    found = await check.run(store.database.dsn("writer"))
    assert {one.name: one.sample for one in found if one.violations} == {}
    replayed = await replay.replay(store.database.dsn("owner"), store.vault)
    assert replayed.differences == []


async def test_both_channels_sold_the_last_item_on_their_own_counters_and_one_is_chosen_by_policy(
    store: Store,
) -> None:
    sales = [placed(TILL, "T9", 20), placed(WEB, "W1", 10)]
    await store.take(counted("1"))
    for sale in sales:
        await store.take(sale)
    assert await store.value("select count(*) from orders") == 2
    (case,) = await open_cases(store)
    assert (case["kind"], case["detail"]["short"]) == ("oversold", "1.000")
    assert [one["order_number"] for one in case["detail"]["chosen"]] == ["W1"]
    assert [one["order_number"] for one in case["detail"]["without"]] == ["T9"]
    await assert_sound(store)


async def test_what_the_hub_promised_comes_before_what_a_counter_sold_earlier(
    store: Store,
) -> None:
    await store.take(counted("1"))
    async with store.connection.transaction():
        wanted = Wanted("s1", [("cake", 1000)], at(90))
        await reservations.reserve(
            store.connection, store.vault, OrderName("web", "1", "W1"), wanted
        )
    await store.take(placed(TILL, "T9", 1))
    (case,) = await open_cases(store)
    assert [one["order_number"] for one in case["detail"]["chosen"]] == ["W1"]


async def test_who_gets_the_last_item_is_configuration(store: Store) -> None:
    async with store.connection.transaction():
        document = {"first": ["channel", "placed"], "channels": ["store", "web"]}
        draft = Draft("oversell", "default", document, "who stands in the store gets it")
        await configs.publish(store.connection, store.vault, draft)
    await store.take(counted("1"), placed(WEB, "W1", 10), placed(TILL, "T9", 20))
    (case,) = await open_cases(store)
    assert [one["order_number"] for one in case["detail"]["chosen"]] == ["T9"]


async def test_an_oversell_case_ends_when_the_order_without_goods_is_cancelled(
    store: Store,
) -> None:
    await store.take(counted("1"), placed(WEB, "W1", 10), placed(TILL, "T9", 20))
    await store.take(TILL.body("order.cancelled", 30, order_number="T9"))
    assert await open_cases(store) == []
    await assert_sound(store)


async def test_returned_goods_wait_for_their_inspection_before_they_can_be_sold(
    store: Store,
) -> None:
    shipped = WEB.body("order.shipped", 10, order_number="W1")
    await store.take(counted("5"), placed(WEB, "W1", 5, 3), shipped)
    await store.take(returned("W1", 20, None))
    assert await position(store) == {"on_hand": 4, "unavailable": 2}
    data = {"sku": "cake", "place": "s1", "quantity": "1", "written_off": "1"}
    await store.take(ERP.body("stock.inspected", 30, **data))
    assert await position(store) == {"on_hand": 3}
    assert await open_cases(store) == []
    await assert_sound(store)


async def test_more_inspected_than_lay_aside_is_a_case_until_the_rest_is_told(
    store: Store,
) -> None:
    data = {"sku": "cake", "place": "s1", "quantity": "2"}
    await store.take(counted("5"), ERP.body("stock.inspected", 30, **data))
    (case,) = await open_cases(store)
    assert (case["kind"], case["detail"]["more"]) == ("inspected_more", "2.000")
    await store.take(ERP.body("stock.blocked", 20, **data))
    assert await open_cases(store) == []
    assert await position(store) == {"on_hand": 5}


async def test_blocked_goods_are_there_and_cannot_be_promised(store: Store) -> None:
    data = {"sku": "cake", "place": "s1", "quantity": "1"}
    await store.take(counted("1"), ERP.body("stock.blocked", 5, **data))
    await store.take(placed(WEB, "W1", 10))
    (case,) = await open_cases(store)
    assert case["kind"] == "oversold"
    await store.take(ERP.body("stock.unblocked", 20, **data))
    assert await open_cases(store) == []


async def test_transfer_in_transit_lost_out_10_in_9_is_a_case_of_1(store: Store) -> None:
    await store.take(transfer("dispatched", 10, "10"))
    assert await position(store, "w1") == {"on_hand": -10}
    assert await position(store) == {"incoming": 10}
    await store.take(transfer("arrived", 20, "9"))
    assert await position(store) == {"on_hand": 9, "incoming": 1}
    (case,) = await open_cases(store)
    assert (case["kind"], case["detail"]["missing"]) == ("transfer_differs", "1.000")
    await store.take(transfer("lost", 30, "1"))
    assert await open_cases(store) == []
    assert await position(store) == {"on_hand": 9}
    await assert_sound(store)


async def test_a_transfer_is_the_same_in_whatever_order_its_steps_come(store: Store) -> None:
    steps = (("dispatched", 10, "10"), ("arrived", 20, "4"), ("arrived", 30, "6"))
    told = permutations(steps)
    for number, order in enumerate(told):
        for kind, minute, quantity in order:
            data = {"transfer_id": f"T{number}", "sku": f"sku-{number}", "to_place": "s1"}
            more = {"from_place": "w1"} if kind == "dispatched" else {}
            await store.take(ERP.body(f"stock.{kind}", minute, **data, quantity=quantity, **more))
    rows = await store.rows("select * from stock_positions where place = 's1'")
    assert {(row["on_hand_milli"], row["incoming_milli"]) for row in rows} == {(10000, 0)}
    assert await open_cases(store) == []


async def test_counts_acknowledged_out_of_order_5_then_3_arrives_as_3_then_5_end_at_3(
    store: Store,
) -> None:
    await store.take(counted("3", 20))
    await store.take(counted("5", 10))
    assert await position(store) == {"on_hand": 3}
    await assert_sound(store)
