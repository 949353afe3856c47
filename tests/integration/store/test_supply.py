"""Bundles, places that serve shops, items nobody has described: orders are told again when what is
known beside them changes, and end the same whatever came first."""

import asyncio
from itertools import permutations
from typing import Any

import pytest

from hub.domain.distance import Point
from hub.errors import Refused
from hub.store import check, configs, db, replay, reservations
from hub.store.configs import Draft
from hub.store.reservations import OrderName, Wanted
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

WEB, ERP = Shop("web", "1"), Shop("erp", "main")
PARTS = [{"sku": "cake", "quantity": "1"}, {"sku": "candle", "quantity": "1"}]
HOUR = at(60)


def counted(sku: str, quantity: str, place: str = "s1") -> bytes:
    data = {"sku": sku, "place": place, "quantity": quantity, "measured_at": at(0).isoformat()}
    return ERP.body("stock.counted", 0, **data)


def described(minute: float, parts: list[dict[str, str]] | None, sku: str = "party") -> bytes:
    more = {} if parts is None else {"components": parts}
    return ERP.body("item.upserted", minute, sku=sku, name=sku, **more)


def placed(number: str, minute: float, sku: str = "party", place: str | None = "s1") -> bytes:
    data = {"order_number": number, "currency": "CNY", "lines": [line(1, sku, 2, "10.00")]}
    where = {"place": place} if place else {}
    return WEB.body("order.placed", minute, **data, **where, total="20.00")


def published(kind: str, name: str, minute: float, document: dict[str, Any]) -> bytes:
    """The hub's decision, as it stands in the log."""
    said = {"kind": kind, "name": name, "document": document, "reason": "-"}
    return WEB.decision("config.published", minute, **said)


async def committed(store: Store) -> dict[str, int]:
    """What is committed and reserved in whole units, by place and item."""
    rows = await store.rows("select * from stock_positions order by place, sku")
    found = {f"{r['place']}/{r['sku']}": r["committed_milli"] + r["reserved_milli"] for r in rows}
    return {at: milli // 1000 for at, milli in found.items() if milli}


async def reserve(
    store: Store,
    number: str,
    place: str | None,
    *items: tuple[str, int],
    near: Point | None = None,
) -> str:
    held = [(sku, quantity * 1000) for sku, quantity in items]
    wanted = Wanted(place, held, HOUR, near=near)
    async with store.connection.transaction():
        name = OrderName("web", "1", number)
        return await reservations.reserve(store.connection, store.vault, name, wanted)


async def publish(store: Store, kind: str, name: str, document: dict[str, Any]) -> None:
    async with store.connection.transaction():
        draft = Draft(kind, name, document, "agreed")
        await configs.publish(store.connection, store.vault, draft)


async def assert_sound(store: Store) -> None:
    found = await check.run(store.database.dsn("writer"))
    assert {one.name: one.sample for one in found if one.violations} == {}
    replayed = await replay.replay(store.database.dsn("owner"), store.vault)
    assert replayed.differences == []


async def test_bundle_cake_and_candle_and_a_single_candle_with_one_candle_left_are_refused(
    store: Store,
) -> None:
    await store.take(counted("cake", "5"), counted("candle", "1"), described(-9, PARTS))
    with pytest.raises(Refused) as refused:
        await reserve(store, "W1", "s1", ("party", 1), ("candle", 1))
    assert refused.value.detail == {"sku": "candle", "place": "s1", "short": "1.000"}
    assert await committed(store) == {}
    await reserve(store, "W2", "s1", ("party", 1))
    assert await committed(store) == {"s1/cake": 1, "s1/candle": 1}
    await assert_sound(store)


async def test_a_reservation_of_a_bundle_stands_when_the_bundle_changes(store: Store) -> None:
    await store.take(counted("cake", "5"), counted("candle", "5"), described(-9, PARTS))
    await reserve(store, "W1", "s1", ("party", 2))
    await store.take(described(-5, PARTS[:1]))
    assert await committed(store) == {"s1/cake": 2, "s1/candle": 2}
    await assert_sound(store)


async def test_an_order_of_a_bundle_ends_the_same_whenever_the_catalog_is_heard_of(
    store: Store,
) -> None:
    steps = ("told", "sold", "changed", "shipped")
    for number, order in enumerate(permutations(steps)):
        sku, name = f"party-{number}", f"n-{number}"
        lines = [{"line": "1", "quantity": "1"}]
        bodies = {
            "told": described(0, [{"sku": f"candle-{number}", "quantity": "3"}], sku),
            "sold": placed(name, 10, sku),
            "changed": described(20, [{"sku": "cake", "quantity": "1"}], sku),
            "shipped": WEB.body("order.shipped", 30, order_number=name, lines=lines),
        }
        for step in order:
            await store.take(bodies[step])
    rows = await store.rows("select * from stock_positions where sku like 'candle%'")
    assert {(row["on_hand_milli"], row["committed_milli"]) for row in rows} == {(-3000, 3000)}
    assert len(rows) == 24
    others = "select sum(abs(on_hand_milli) + committed_milli)::bigint from stock_positions"
    assert await store.value(f"{others} where sku not like 'candle%'") == 0
    await assert_sound(store)


async def test_an_item_that_becomes_a_bundle_while_its_order_is_written_is_told_as_one(
    store: Store,
) -> None:
    """Neither write may miss the other."""
    other = Store(store.database, await db.connect(store.database.dsn("writer")))
    try:
        for number in range(8):
            sku = f"party-{number}"
            sold = placed(f"n-{number}", 10, sku)
            told = described(5, [{"sku": "cake", "quantity": "1"}], sku)
            await asyncio.gather(store.take(sold), other.take(told))
    finally:
        await other.connection.close()
    assert await committed(store) == {"s1/cake": 16}
    await assert_sound(store)


async def test_a_reservation_without_a_place_takes_the_first_of_its_shop_that_has_all_of_it(
    store: Store,
) -> None:
    await publish(store, "shop_places", "web/1", {"places": ["s1", "s2", "w1"], "pickup": "s2"})
    await store.take(described(-9, PARTS), counted("cake", "5"), counted("candle", "1"))
    await store.take(counted("cake", "5", "w1"), counted("candle", "5", "w1"))
    assert await reserve(store, "W1", None, ("party", 1)) == "s1"
    assert await reserve(store, "W2", None, ("party", 1)) == "w1"
    with pytest.raises(Refused) as refused:
        await reserve(store, "W3", None, ("party", 9))
    assert refused.value.detail["place"] == "s1"
    await assert_sound(store)


POSITIONS = {
    "s1": {"latitude": 31.23, "longitude": 121.47},
    "s2": {"latitude": 39.9, "longitude": 116.4},
}
"""Shanghai and Beijing; w1 is nowhere."""
SUZHOU = {"latitude": "31.3", "longitude": "120.58"}


async def test_the_nearest_place_that_has_all_of_it_serves_whoever_says_where_they_are(
    store: Store,
) -> None:
    places = {"places": ["w1", "s2", "s1"], "positions": POSITIONS}
    await publish(store, "shop_places", "web/1", places)
    await store.take(counted("cake", "1"), counted("cake", "5", "s2"), counted("cake", "9", "w1"))
    suzhou, tianjin = Point(31.3, 120.58), Point(39.13, 117.2)
    assert await reserve(store, "W1", None, ("cake", 1), near=tianjin) == "s2"
    assert await reserve(store, "W2", None, ("cake", 1), near=suzhou) == "s1"
    assert await reserve(store, "W3", None, ("cake", 1), near=suzhou) == "s2"
    assert await reserve(store, "W4", None, ("cake", 1)) == "w1"
    await assert_sound(store)


async def test_an_order_that_says_where_it_goes_takes_the_nearest_place_whatever_came_first(
    store: Store,
) -> None:
    document = {"places": ["w1", "s2", "s1"], "positions": POSITIONS}
    content = {"currency": "CNY", "lines": [line(1, "cake", 1, "1.00")], "total": "1.00"}
    bodies = [
        published("shop_places", "web/1", 0, document),
        WEB.body("order.placed", 5, order_number="n-1", **content, near=SUZHOU),
        WEB.body("order.shipped", 9, order_number="n-1"),
    ]
    for order in permutations(bodies):
        for body in order:
            await store.take(body)
        assert await store.value("select place from orders") == "s1"
        await assert_sound(store)
        await store.empty()


async def test_a_shop_without_configured_places_has_to_name_one(store: Store) -> None:
    with pytest.raises(Refused) as refused:
        await reserve(store, "W1", None, ("cake", 1))
    assert refused.value.code == "place_missing"


async def test_an_order_without_a_place_takes_that_of_its_time_whatever_came_first(
    store: Store,
) -> None:
    bodies = [
        published("shop_places", "web/1", 0, {"places": ["s1"], "pickup": "s3"}),
        placed("n-1", 10, "cake", None),
        published("shop_places", "web/1", 20, {"places": ["s2"]}),
        WEB.body("order.shipped", 30, order_number="n-1"),
    ]
    for order in permutations(bodies):
        for body in order:
            await store.take(body)
        row = await store.row("select * from stock_positions where on_hand_milli <> 0")
        assert (row["place"], row["on_hand_milli"], row["committed_milli"]) == ("s1", -2000, 0)
        assert await store.value("select place from orders") == "s1"
        await assert_sound(store)
        await store.empty()


async def test_an_order_that_is_picked_up_takes_the_shops_place_for_that(store: Store) -> None:
    await store.take(published("shop_places", "web/1", 0, {"places": ["s1"], "pickup": "s3"}))
    pickup = {"slot_from": at(60).isoformat(), "slot_until": at(90).isoformat()}
    content = {"currency": "CNY", "lines": [line(1, "cake", 1, "1.00")], "total": "1.00"}
    await store.take(WEB.body("order.placed", 5, order_number="n-1", **content, pickup=pickup))
    assert await committed(store) == {"s3/cake": 1}


async def test_where_a_reservation_was_held_stands_before_what_configuration_would_choose(
    store: Store,
) -> None:
    await publish(store, "shop_places", "web/1", {"places": ["s1", "w1"]})
    await store.take(counted("cake", "1"), counted("cake", "5", "w1"))
    assert await reserve(store, "n-1", None, ("cake", 2)) == "w1"
    now = await store.value("select extract(epoch from clock_timestamp() - $1) / 60", at(0))
    await store.take(placed("n-1", min(float(now), 43200), "cake", None))
    assert await committed(store) == {"w1/cake": 2}
    await assert_sound(store)


async def test_an_unknown_item_keeps_its_stock_effect_waiting_and_the_order_is_in(
    store: Store,
) -> None:
    await store.take(published("unknown_items", "web", 0, {"stock": "wait"}))
    await store.take(placed("n-1", 10, "tea"))
    assert await store.value("select status from orders") == "open"
    assert await committed(store) == {}
    await assert_sound(store)
    await store.take(described(500, None, "tea"))
    assert await committed(store) == {"s1/tea": 2}
    await assert_sound(store)


async def test_what_waits_for_an_item_ends_the_same_in_any_order(store: Store) -> None:
    bodies = [
        published("unknown_items", "default", 0, {"stock": "wait"}),
        placed("n-1", 10, "tea"),
        described(500, None, "tea"),
        WEB.body("order.cancelled", 30, order_number="n-1", lines=[{"line": "1", "quantity": "1"}]),
    ]
    for order in permutations(bodies):
        for body in order:
            await store.take(body)
        assert await committed(store) == {"s1/tea": 1}
        await assert_sound(store)
        await store.empty()


async def test_an_item_is_described_while_its_order_is_written_and_nothing_waits_for_ever(
    store: Store,
) -> None:
    await store.take(published("unknown_items", "default", 0, {"stock": "wait"}))
    other = Store(store.database, await db.connect(store.database.dsn("writer")))
    try:
        for number in range(8):
            sold = placed(f"n-{number}", 10, f"tea-{number}")
            told = described(5, None, f"tea-{number}")
            await asyncio.gather(store.take(sold), other.take(told))
    finally:
        await other.connection.close()
    assert sum((await committed(store)).values()) == 16
    await assert_sound(store)
