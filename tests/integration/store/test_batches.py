"""Fresh goods: stock by batch with its best-before, and counts told out of order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from hub.errors import Refused
from hub.store import check, replay, reservations
from hub.store.reservations import OrderName, Wanted
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

WEB, ERP = Shop("web", "1"), Shop("erp", "main")
CAKE = {"sku": "cake", "place": "s1"}
GONE, GOOD = at(60), datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)


def received(batch: str, minute: float, quantity: str, until: datetime) -> bytes:
    more = {"batch": batch, "best_before": until.isoformat()}
    return ERP.body("stock.received", minute, **CAKE, quantity=quantity, **more)


def sold(number: str, minute: float, quantity: int) -> list[bytes]:
    lines = [line(1, "cake", quantity, "10.00")]
    content = {"currency": "CNY", "place": "s1", "lines": lines, "total": f"{quantity * 10}.00"}
    return [
        WEB.body("order.placed", minute, order_number=number, **content),
        WEB.body("order.shipped", minute, order_number=number),
    ]


async def left(store: Store) -> dict[str, int]:
    rows = await store.rows("select * from stock_batches")
    return {row["batch"]: row["left_milli"] // 1000 for row in rows}


async def reserve(store: Store, number: str, quantity: int) -> None:
    wanted = Wanted("s1", [("cake", quantity * 1000)], GOOD)
    async with store.connection.transaction():
        order = OrderName("web", "1", number)
        await reservations.reserve(store.connection, store.vault, order, wanted)


async def assert_sound(store: Store) -> None:
    found = await check.run(store.database.dsn("writer"))
    assert {one.name: one.sample for one in found if one.violations} == {}
    replayed = await replay.replay(store.database.dsn("owner"), store.vault)
    assert replayed.differences == []


async def test_fresh_goods_past_their_best_before_are_not_available(store: Store) -> None:
    await store.take(received("old", 0, "3", GONE), received("new", 0, "2", GOOD))
    with pytest.raises(Refused) as refused:
        await reserve(store, "W1", 3)
    assert refused.value.detail["short"] == "1.000"
    await reserve(store, "W2", 2)
    await assert_sound(store)


async def test_batches_end_the_same_in_whatever_order_they_are_told(store: Store) -> None:
    damaged = ERP.body("stock.damaged", 90, **CAKE, quantity="1", batch="old")
    measured = {"quantity": "4", "measured_at": at(80).isoformat()}
    told = [
        received("old", 0, "3", GONE),
        received("new", 5, "5", GOOD),
        *sold("W1", 20, 1),
        *sold("W2", 70, 2),
        damaged,
        ERP.body("stock.counted", 80, **CAKE, **measured),
    ]
    for order in list(permutations(told))[:: 5039 // 12]:
        for body in order:
            await store.take(body)
        assert await left(store) == {"old": 0, "new": 3}
        await assert_sound(store)
        await store.empty()


async def test_a_batch_that_moves_to_another_place_keeps_its_best_before(store: Store) -> None:
    moved = {"sku": "cake", "from_place": "s1", "to_place": "s2", "quantity": "2", "batch": "new"}
    await store.take(received("new", 0, "5", GOOD))
    again = ERP.body("stock.transferred", 9, **moved, best_before=GOOD.isoformat())
    await store.take(again)
    rows = await store.rows("select place, best_before_at, left_milli from stock_batches")
    found = {row["place"]: (row["best_before_at"], row["left_milli"]) for row in rows}
    assert found == {"s1": (GOOD, 3000), "s2": (GOOD, 2000)}
    await assert_sound(store)


@pytest.mark.parametrize("arrival", [(0, 1), (1, 0)])
async def test_stock_pushes_of_one_moment_5_then_3_end_at_3_by_their_sequence(
    store: Store, arrival: tuple[int, int]
) -> None:
    pushes = [
        ERP.body(
            "stock.counted",
            minute,
            **CAKE,
            quantity=quantity,
            measured_at=at(10).isoformat(),
            sequence=sequence,
        )
        for minute, quantity, sequence in ((10, "5", "7"), (10, "3", "8"))
    ]
    for place in arrival:
        await store.take(pushes[place])
    assert await store.value("select on_hand_milli from stock_positions") == 3000
    await assert_sound(store)
