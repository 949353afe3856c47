"""Stock is kept for channels and live sessions, drawn from by their sales, and comes back."""

from itertools import permutations
from typing import Any

import pytest

from hub.errors import Refused
from hub.store import allotments, check, replay, reservations
from hub.store.reservations import OrderName, Wanted
from tests.event_maker import Shop, at, line
from tests.integration.store.stage import Store

WEB, TMALL, LIVE, ERP = Shop("web", "1"), Shop("tmall", "1"), Shop("live", "1"), Shop("erp", "1")


def counted(quantity: str) -> bytes:
    data = {"sku": "cake", "place": "s1", "quantity": quantity, "measured_at": at(0).isoformat()}
    return ERP.body("stock.counted", 0, **data)


def placed(shop: Shop, number: str, minute: float, quantity: int = 1) -> bytes:
    lines = [line(1, "cake", quantity, "10.00")]
    data = {"order_number": number, "currency": "CNY", "place": "s1", "lines": lines}
    return shop.body("order.placed", minute, **data, total=f"{quantity * 10}.00")


def kept(shop: Shop, minute: float, quantity: str, **more: Any) -> bytes:
    """The hub's decision, as it stands in the log."""
    data = {"channel": shop.channel, "sku": "cake", "place": "s1", "quantity": quantity}
    return shop.decision("allotment.set", minute, **data, **more)


def session(step: str, minute: float) -> bytes:
    return LIVE.body(f"session.{step}", minute, session="evening")


async def reserve(store: Store, shop: Shop, number: str, quantity: int) -> None:
    wanted = Wanted("s1", [("cake", quantity * 1000)], at(90))
    async with store.connection.transaction():
        await reservations.reserve(
            store.connection, store.vault, OrderName(shop.channel, shop.shop, number), wanted
        )


async def split(store: Store, **quantities: str) -> None:
    wanted = [
        {"channel": channel, "sku": "cake", "place": "s1", "quantity": quantity}
        for channel, quantity in quantities.items()
    ]
    async with store.connection.transaction():
        await allotments.set_all(store.connection, store.vault, wanted)


async def held(store: Store) -> dict[str, int]:
    """What is kept in whole units, by channel and session."""
    rows = await store.rows("select * from allotments")
    return {row["channel"] + row["session"]: row["held_milli"] // 1000 for row in rows}


async def open_kinds(store: Store) -> list[str]:
    rows = await store.rows("select kind from cases where state = 'open' order by kind")
    return [row["kind"] for row in rows]


async def assert_sound(store: Store) -> None:
    found = await check.run(store.database.dsn("writer"))
    assert {one.name: one.sample for one in found if one.violations} == {}
    replayed = await replay.replay(store.database.dsn("owner"), store.vault)
    assert replayed.differences == []


async def test_what_is_kept_for_one_channel_cannot_be_reserved_by_another(store: Store) -> None:
    await store.take(counted("10"))
    await split(store, tmall="6")
    with pytest.raises(Refused) as refused:
        await reserve(store, WEB, "W1", 5)
    assert refused.value.detail["short"] == "1.000"
    await reserve(store, WEB, "W1", 4)
    await reserve(store, TMALL, "T1", 6)
    assert await held(store) == {"tmall": 0}
    await assert_sound(store)


async def test_a_buffer_is_kept_on_top_while_any_of_the_allotment_is_left(store: Store) -> None:
    await store.take(counted("10"), kept(TMALL, 5, "3", buffer="2"))
    assert await held(store) == {"tmall": 5}
    await store.take(placed(TMALL, "T1", 10, 2))
    assert await held(store) == {"tmall": 3}
    await store.take(placed(TMALL, "T2", 11, 1))
    assert await held(store) == {"tmall": 0}
    await assert_sound(store)


async def test_sales_before_an_allotment_was_set_do_not_draw_from_it(store: Store) -> None:
    await store.take(counted("10"), kept(TMALL, 20, "3"))
    await store.take(placed(TMALL, "T1", 10, 2), placed(WEB, "W1", 30, 2))
    assert await held(store) == {"tmall": 3}


async def test_a_cancelled_sale_gives_back_to_its_allotment(store: Store) -> None:
    await store.take(counted("10"), kept(TMALL, 5, "3"), placed(TMALL, "T1", 10, 2))
    await store.take(TMALL.body("order.cancelled", 20, order_number="T1"))
    assert await held(store) == {"tmall": 3}
    await assert_sound(store)


async def test_a_live_sessions_allotment_returns_by_itself_at_its_end(store: Store) -> None:
    await store.take(counted("10"), kept(LIVE, 5, "8", session="evening"), session("opened", 10))
    await store.take(placed(LIVE, "L1", 15, 3))
    assert await held(store) == {"liveevening": 5}
    with pytest.raises(Refused):
        await reserve(store, WEB, "W1", 3)
    await store.take(session("closed", 60))
    assert await held(store) == {"liveevening": 0}
    await reserve(store, WEB, "W2", 7)
    await assert_sound(store)


async def test_sales_in_a_live_session_leave_the_channels_own_allotment_alone(
    store: Store,
) -> None:
    told = [
        kept(LIVE, 5, "2"),
        kept(LIVE, 5, "4", session="evening"),
        session("opened", 10),
        placed(LIVE, "L1", 15, 3),
        placed(LIVE, "L2", 70),
        session("closed", 60),
    ]
    await store.take(counted("10"))
    for one in told:
        await store.take(one)
    assert await held(store) == {"live": 1, "liveevening": 0}
    await assert_sound(store)


@pytest.mark.parametrize(
    ("minute", "left"),
    [
        (9.9, {"live": 4, "liveevening": 4}),
        (10, {"live": 5, "liveevening": 3}),
        (59.9, {"live": 5, "liveevening": 3}),
        (60, {"live": 4, "liveevening": 4}),
    ],
)
async def test_a_sale_draws_from_the_session_from_its_opening_until_its_close(
    store: Store, minute: float, left: dict[str, int]
) -> None:
    """What the sale left is looked at before the end is told, which takes all that was kept."""
    told = [kept(LIVE, 5, "5"), kept(LIVE, 5, "4", session="evening"), session("opened", 10)]
    await store.take(counted("20"), *told, placed(LIVE, "L1", minute))
    drawn = await held(store)
    if minute < 60:
        assert drawn == left
    await store.take(session("closed", 60))
    assert await held(store) == left | {"liveevening": 0}
    await assert_sound(store)


async def test_a_session_of_another_channel_leaves_a_channels_sales_its_own(store: Store) -> None:
    told = [kept(TMALL, 5, "5"), kept(LIVE, 5, "4", session="evening"), session("opened", 10)]
    await store.take(counted("20"), *told, placed(TMALL, "T1", 20, 2))
    assert await held(store) == {"tmall": 3, "liveevening": 4}


async def test_a_session_that_has_none_of_an_item_leaves_its_sales_to_the_channel(
    store: Store,
) -> None:
    elsewhere = {"channel": "live", "sku": "candle", "place": "s1", "quantity": "4"}
    other = LIVE.decision("allotment.set", 5, **elsewhere, session="evening")
    await store.take(counted("20"), kept(LIVE, 5, "5"), other, session("opened", 10))
    await store.take(placed(LIVE, "L1", 20, 2))
    assert await held(store) == {"live": 3, "liveevening": 4}


async def test_a_sale_in_a_session_before_its_allotment_was_set_draws_from_neither(
    store: Store,
) -> None:
    told = [kept(LIVE, 5, "5"), kept(LIVE, 30, "4", session="evening"), session("opened", 10)]
    await store.take(counted("20"), *told, placed(LIVE, "L1", 20, 2))
    assert await held(store) == {"live": 5, "liveevening": 4}


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
async def test_what_is_left_is_the_same_in_whatever_order_it_is_told(
    store: Store, order: tuple[int, ...]
) -> None:
    told = [
        kept(LIVE, 5, "4", session="evening"),
        session("opened", 10),
        placed(LIVE, "L1", 15, 3),
        kept(LIVE, 2, "9", session="evening"),
    ]
    await store.take(counted("10"))
    for place in order:
        await store.take(told[place])
    assert await held(store) == {"liveevening": 1}


async def test_stock_written_off_while_a_platform_still_sells_its_allotment_is_stale_and_a_case(
    store: Store,
) -> None:
    await store.take(counted("10"), kept(TMALL, 5, "8"))
    assert await open_kinds(store) == []
    data = {"sku": "cake", "place": "s1", "quantity": "5"}
    await store.take(ERP.body("stock.damaged", 10, **data))
    assert await open_kinds(store) == ["allotted_beyond_stock"]
    assert await store.value("select is_stale from allotments")
    await assert_sound(store)
    await split(store, tmall="5")
    assert await open_kinds(store) == []
    assert not await store.value("select is_stale from allotments")
    await assert_sound(store)


async def test_more_than_is_available_is_not_kept_and_a_split_is_made_whole_or_not_at_all(
    store: Store,
) -> None:
    await store.take(counted("10"))
    with pytest.raises(Refused):
        await split(store, tmall="6", live="5")
    assert await held(store) == {}
    await split(store, tmall="6", live="4")
    await split(store, tmall="3", live="7")
    assert await held(store) == {"tmall": 3, "live": 7}
    await assert_sound(store)


async def test_target_and_what_the_platform_confirms_are_told_apart(store: Store) -> None:
    named = {"sku": "cake", "place": "s1"}
    await store.take(counted("10"), kept(TMALL, 5, "8"))
    await store.take(TMALL.body("allotment.confirmed", 20, **named, quantity="7"))
    await store.take(TMALL.body("allotment.confirmed", 10, **named, quantity="5"))
    row = await store.row("select * from allotments")
    assert (row["target_milli"], row["confirmed_milli"]) == (8000, 7000)
    await assert_sound(store)


async def test_a_buffer_is_kept_from_others_like_what_it_comes_on_top_of(store: Store) -> None:
    await store.take(counted("10"), kept(TMALL, 5, "3", buffer="2"))
    with pytest.raises(Refused) as refused:
        await reserve(store, WEB, "W1", 6)
    assert refused.value.detail["short"] == "1.000"
    await reserve(store, WEB, "W2", 5)


@pytest.mark.parametrize(("buffer", "cases"), [("2", []), ("2.001", ["allotted_beyond_stock"])])
async def test_all_that_is_available_may_be_kept_with_its_buffer_and_no_more(
    store: Store, buffer: str, cases: list[str]
) -> None:
    await store.take(counted("10"), kept(TMALL, 5, "8", buffer=buffer))
    assert await open_kinds(store) == cases
    await assert_sound(store)


@pytest.mark.parametrize("confirmed", ["0", "3", "9", "20"])
async def test_what_is_kept_follows_the_target_whatever_the_platform_confirms(
    store: Store, confirmed: str
) -> None:
    told = TMALL.body("allotment.confirmed", 20, sku="cake", place="s1", quantity=confirmed)
    await store.take(counted("10"), kept(TMALL, 5, "4", buffer="1"), told)
    assert await held(store) == {"tmall": 5}
    assert await open_kinds(store) == []
