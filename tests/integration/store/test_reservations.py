"""Stock is held, sold once, and let go, by commands in Postgres."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.errors import Refused
from hub.store import check, commands, db, log, replay, reservations
from hub.store.reservations import OrderName, Wanted
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

WEB = Shop("website", "main")
NOW = at(60)
LATER = NOW + timedelta(minutes=15)


def order(number: str) -> OrderName:
    return OrderName("website", "main", number)


def counted(quantity: str, sku: str = "cake", minute: float = 0) -> bytes:
    measured_at = at(minute).isoformat()
    data = {"sku": sku, "place": "s1", "quantity": quantity, "measured_at": measured_at}
    return WEB.body("stock.counted", minute, **data)


def placed(number: str, quantity: int = 1, minute: float = 70) -> bytes:
    lines = [line(1, "cake", quantity, "10.00")]
    data = {"order_number": number, "currency": "CNY", "place": "s1", "lines": lines}
    return WEB.body("order.placed", minute, **data, total=f"{quantity * 10}.00")


async def hold(store: Store, number: str, *items: tuple[str, int], until: datetime = LATER) -> None:
    wanted = Wanted("s1", items or (("cake", 1000),), until)
    async with store.connection.transaction():
        await reservations.reserve(store.connection, store.vault, order(number), wanted)


async def end(store: Store, command: Callable[..., Any], number: str) -> None:
    async with store.connection.transaction():
        await command(store.connection, store.vault, order(number))


async def position(store: Store, sku: str = "cake") -> tuple[int, int, int]:
    """(on hand, committed, reserved), in whole units."""
    row = await store.row("select * from stock_positions where sku = $1", sku)
    quantities = (row["on_hand_milli"], row["committed_milli"], row["reserved_milli"])
    return quantities[0] // 1000, quantities[1] // 1000, quantities[2] // 1000


async def assert_sound(store: Store) -> None:
    found = await check.run(store.database.dsn("writer"))
    assert {one.name: one.sample for one in found if one.violations} == {}


async def test_two_channels_take_the_last_item_at_once_through_the_hub_and_one_is_refused(
    store: Store,
) -> None:
    await store.take(counted("1"))
    await hold(store, "W1")
    with pytest.raises(Refused) as refused:
        await hold(store, "W2")
    assert refused.value.code == "insufficient_stock"
    assert refused.value.detail == {"sku": "cake", "place": "s1", "short": "1.000"}
    assert await position(store) == (1, 0, 1)
    assert await store.value("select count(*) from log.events where type like 'reserv%'") == 1
    await assert_sound(store)


async def test_a_bundle_and_a_single_candle_with_one_candle_left_are_refused_as_summed_demand(
    store: Store,
) -> None:
    await store.take(counted("5"), counted("1", "candle"))
    with pytest.raises(Refused):
        await hold(store, "W1", ("cake", 1000), ("candle", 1000), ("candle", 1000))
    assert await position(store) == (5, 0, 0)


async def test_a_decimal_quantity_is_held(store: Store) -> None:
    await store.take(counted("0.5"))
    await hold(store, "W1", ("cake", 500))
    with pytest.raises(Refused):
        await hold(store, "W2", ("cake", 1))


async def test_a_reservation_that_is_let_go_can_be_bought_by_others(store: Store) -> None:
    await store.take(counted("1"))
    await hold(store, "W1")
    await end(store, reservations.release, "W1")
    await hold(store, "W2")
    assert await position(store) == (1, 0, 1)
    await assert_sound(store)


async def test_the_commit_and_the_order_of_one_sale_have_one_effect_whichever_comes_first(
    store: Store,
) -> None:
    await store.take(counted("5"))
    await hold(store, "W1")
    await end(store, reservations.commit, "W1")
    assert await position(store) == (5, 1, 0)
    await store.take(placed("W1"))
    await hold(store, "W2")
    await store.take(placed("W2"))
    await end(store, reservations.commit, "W2")
    assert await position(store) == (5, 2, 0)
    await assert_sound(store)


async def test_a_reservation_for_an_order_that_was_placed_already_is_refused(store: Store) -> None:
    await store.take(counted("5"), placed("W1"))
    with pytest.raises(Refused, match="placed already"):
        await hold(store, "W1")


async def test_a_reservation_expires_the_item_is_sold_the_late_order_is_a_case(
    store: Store,
) -> None:
    await store.take(counted("1"))
    await hold(store, "W1")
    async with store.connection.transaction():
        assert await reservations.expire_overdue(store.connection, store.vault, LATER) == 1
    with pytest.raises(Refused, match="expired before"):
        await end(store, reservations.commit, "W1")
    await hold(store, "W2")
    await end(store, reservations.commit, "W2")
    await store.take(placed("W2"), placed("W1"))
    assert await position(store) == (1, 2, 0)
    assert await store.value("select count(*) from cases where state = 'open'") == 1
    await assert_sound(store)


async def test_a_replay_holds_what_was_decided(store: Store) -> None:
    await store.take(counted("3"))
    for number in ("W1", "W2", "W3"):
        await hold(store, number)
    await end(store, reservations.commit, "W1")
    await end(store, reservations.release, "W2")
    await store.take(placed("W1"))
    result = await replay.replay(store.database.dsn("owner"), store.vault)
    assert result.is_equal, result.differences


async def test_many_at_once_sell_exactly_what_is_there(store: Store) -> None:
    await store.take(counted("7"))
    connections = [await db.connect(store.database.dsn("writer")) for _ in range(6)]
    outcomes: list[bool] = []

    async def buy(connection: db.Connection, first: int) -> None:
        for number in range(first, 60, len(connections)):
            try:
                async with connection.transaction():
                    wanted = Wanted("s1", [("cake", 1000)], LATER)
                    name = order(f"W{number}")
                    await reservations.reserve(connection, store.vault, name, wanted)
                outcomes.append(True)
            except Refused:
                outcomes.append(False)

    await asyncio.gather(*(buy(c, first) for first, c in enumerate(connections)))
    for connection in connections:
        await connection.close()
    assert (outcomes.count(True), len(outcomes)) == (7, 60)
    assert await position(store) == (7, 0, 7)
    await assert_sound(store)


async def test_a_reservation_that_another_write_is_ending_is_left_out_of_the_overdue(
    store: Store,
) -> None:
    await store.take(counted("1"))
    await hold(store, "W1")
    other = await db.connect(store.database.dsn("writer"))
    async with other.transaction():
        await log.claim(other, [order("W1").key])
        async with asyncio.timeout(5), store.connection.transaction():
            assert await reservations.expire_overdue(store.connection, store.vault, LATER) == 0
        await reservations.commit(other, store.vault, order("W1"))
    await other.close()
    async with store.connection.transaction():
        assert await reservations.expire_overdue(store.connection, store.vault, LATER) == 0
    assert await position(store) == (1, 1, 0)


async def test_500_attempts_on_100_units_sell_exactly_100_and_other_items_are_not_starved(
    store: Store,
) -> None:
    await store.take(counted("100"), counted("500", "candle"))
    connections = [await db.connect(store.database.dsn("writer")) for _ in range(8)]
    attempts = iter([(f"W{n}", "candle" if n % 10 == 0 else "cake") for n in range(500)])
    sold = {"cake": 0, "candle": 0}

    async def client(connection: db.Connection) -> None:
        for number, sku in attempts:
            wanted = Wanted("s1", ((sku, 1000),), LATER)
            asked = commands.Asked("k", number, number.encode())

            async def work(
                on: db.Connection, number: str = number, wanted: Wanted = wanted
            ) -> commands.Answer:
                await reservations.reserve(on, store.vault, order(number), wanted)
                return {}

            try:
                await commands.once(connection, asked, work)
                sold[sku] += 1
            except Refused:
                continue

    try:
        async with asyncio.TaskGroup() as clients:
            for connection in connections:
                clients.create_task(client(connection))
    finally:
        for connection in connections:
            await connection.close()
    assert sold == {"cake": 100, "candle": 50}
    assert await position(store) == (100, 0, 100)
    await assert_sound(store)


@pytest.mark.parametrize("unit", ["piece", "个", " PCS "])
async def test_half_a_piece_is_not_promised_and_half_a_kilogram_is(store: Store, unit: str) -> None:
    for sku, said in (("cake", unit), ("flour", "kg")):
        await store.take(WEB.body("item.upserted", 0, sku=sku, name=sku, unit=said))
    await store.take(counted("5"), counted("5", "flour"))
    with pytest.raises(Refused) as refused:
        await hold(store, "W1", ("flour", 500), ("cake", 500))
    assert refused.value.code == "part_of_a_piece"
    await hold(store, "W1", ("flour", 500), ("cake", 1000))
    await end(store, reservations.release, "W1")


async def test_half_a_piece_that_a_channel_sold_is_a_fact(store: Store) -> None:
    await store.take(WEB.body("item.upserted", 0, sku="cake", name="cake", unit="piece"))
    lines = [line(1, "cake", 1, "10.00") | {"quantity": "0.5"}]
    data = {"order_number": "W1", "currency": "CNY", "place": "s1", "lines": lines}
    await store.take(counted("5"), WEB.body("order.placed", 70, **data, total="10.00"))
    row = await store.row("select * from stock_positions")
    assert row["committed_milli"] == 500
