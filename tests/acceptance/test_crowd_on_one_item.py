"""A crowd buys one item on the channels' counters: all orders are in, the shortage has a name."""

import asyncio
from collections.abc import Iterator

import pytest

from hub.demo import feed, progress
from hub.demo.envelope import Record
from hub.domain import topics
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.store import check
from hub_assets import streams
from tests.event_maker import Shop, at, line

SERVERS = ("postgres", "migrations", "kafka", "topics")
START_TIMEOUT_S = 180
STALLED_AFTER_S = 60
CROWD = 5_000
UNITS = 100
EVERY_TENTH = 10
COUNTED = Shop("erp")


def counts() -> Iterator[Record]:
    for sku, quantity in (("cake", UNITS), ("candle", CROWD)):
        measured = {"quantity": str(quantity), "measured_at": at(0).isoformat()}
        body = COUNTED.body("stock.counted", 0, sku=sku, place="xuhui", **measured)
        yield Record(0, topics.INVENTORY, f"xuhui/{sku}".encode(), body)


def orders() -> Iterator[Record]:
    """All within a minute, on two channels; every tenth is for another item."""
    shops = [Shop("web"), Shop("mini")]
    for number in range(CROWD):
        sku = "candle" if number % EVERY_TENTH == 0 else "cake"
        content = {"lines": [line(1, sku, 1, "10.00")], "total": "10.00", "currency": "CNY"}
        shop, name = shops[number % 2], f"n-{number}"
        body = shop.body(
            "order.placed", number / CROWD, order_number=name, place="xuhui", **content
        )
        yield Record(0, topics.ORDERS, f"{shop.channel}/{name}".encode(), body)


def positions(settings: Settings) -> dict[str, tuple[int, int]]:
    """Pieces committed and available, by item."""
    with progress.connect(settings) as connection:
        rows = connection.execute(
            "select sku, committed_milli / 1000, (on_hand_milli - committed_milli) / 1000"
            " from hub.stock_positions"
        ).fetchall()
    return {sku: (committed, available) for sku, committed, available in rows}


@pytest.mark.timeout(420)
def test_5_000_orders_on_one_item_in_a_minute_lag_shown_and_other_items_not_starved(
    own_settings: Settings,
) -> None:
    with Supervisor(own_settings, only=SERVERS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        asyncio.run(feed.feed(own_settings.brokers, [*counts(), *orders()]))
        # Nobody has taken anything yet, and that is what is shown.
        behind = streams.measure(own_settings)
        assert {name: behind[name].lag for name in (topics.ORDERS, topics.INVENTORY)} == {
            topics.ORDERS: CROWD,
            topics.INVENTORY: 2,
        }
    with Supervisor(own_settings, only=(*SERVERS, "worker")) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        progress.wait_applied(own_settings, STALLED_AFTER_S)
        assert {state.lag for state in streams.measure(own_settings).values()} == {0}

        others = CROWD // EVERY_TENTH
        wanted = CROWD - others
        assert positions(own_settings) == {
            "candle": (others, CROWD - others),
            "cake": (wanted, UNITS - wanted),
        }
        with progress.connect(own_settings) as connection:
            found = connection.execute(
                "select detail from hub.cases where kind = 'oversold' and state = 'open'"
            ).fetchall()
        ((detail,),) = found
        numbers = [number for number in range(CROWD) if number % EVERY_TENTH]
        chosen = [one["order_number"] for one in detail["chosen"]]
        # Who placed first gets it; a case lists no more than a page of them.
        assert chosen
        assert chosen == [f"n-{number}" for number in numbers[: len(chosen)]]
        assert detail["short"] == f"{wanted - UNITS}.000"
        results = asyncio.run(check.run(own_settings.dsn("writer")))
        assert {one.name: one.violations for one in results if one.violations} == {}
