"""Money in the marts: what was paid, what platforms billed, what is owed, what a day sold."""

import pytest
from dbt.contracts.graph.manifest import Manifest

from hub_assets import testing
from hub_assets.testing import PLACED, Warehouse
from tests.integration.marts.till import Till

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MONEY = (
    "--select", "+payments", "+settlements", "+deferred_revenue", "+cross_store_clearing",
    "+live_sessions", "+daily_sales",
)  # fmt: skip
NEXT_DAY = "2026-03-02 12:00:00+08"
NET = "select channel, sum(net_sales_minor)::int from candidates.daily_sales group by 1 order by 1"


@pytest.fixture(scope="module")
def manifest(manifest: Manifest) -> Manifest:
    """The marts of money, and those of the orders and coupons that it is of."""
    return testing.only(
        manifest,
        "payments", "settlements", "deferred_revenue", "cross_store_clearing", "live_sessions",
        "daily_sales", "channel_sync", "orders", "order_lines", "coupons",
    )  # fmt: skip


def test_a_voucher_is_owed_when_it_is_sold_and_revenue_once_when_it_is_redeemed(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.order(1, {"1": 16_800})
        till.pay(1, 16_800)
        till.voucher(1, order=1, paid_minor=16_800)
    warehouse.build(*MONEY)
    owed = "select owed_minor, earned_minor from candidates.deferred_revenue"
    assert warehouse.rows(owed) == [(16_800, 0)]
    assert warehouse.rows(NET) == [("website", 0)]
    with warehouse.writer() as connection:
        till = Till(connection)
        till.redeem(1, 16_800, "xuhui", at=NEXT_DAY)
        till.order(2, {"1": 16_800}, at=NEXT_DAY)  # the ticket of the redemption
        till.tell_more(2, {"voucher": 16_800})
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(owed) == [(0, 16_800)]
    assert warehouse.rows(NET) == [("pos", 16_800), ("website", 0)]
    assert warehouse.rows(
        "select kind, amount_minor::int from candidates.payments order by order_number"
    ) == [("money", 16_800), ("voucher", 16_800)]


def test_a_voucher_that_is_given_back_was_no_sale_and_one_that_lapses_is(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        for number in (1, 2):
            till.order(number, {"1": 100})
            till.pay(number, 100)
            till.voucher(number, order=number, paid_minor=100)
    warehouse.build(*MONEY)
    with warehouse.writer() as connection:
        till = Till(connection)
        till.end(1, "refunded", at=NEXT_DAY)
        till.refund(1, "r1", 100, at=NEXT_DAY)
        till.end(2, "expired", at=NEXT_DAY)
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(
        "select lapsed_minor, returned_minor from candidates.deferred_revenue order by code"
    ) == [(0, 100), (100, 0)]
    assert warehouse.rows(
        "select sales_date::text, net_sales_minor from candidates.daily_sales order by 1"
    ) == [("2026-03-01", 0), ("2026-03-02", 100)]


def test_an_order_seen_by_three_systems_counts_once(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        for number in (1, 2, 3):
            till.order(number, {"1": 500})
            till.pay(number, 500)
        till.counts_not(2)
        till.counts_not(3)
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(
        "select order_count, gmv_minor, net_sales_minor, unit_quantity::float"
        " from candidates.daily_sales"
    ) == [(1, 500, 500, 1.5)]


def test_a_voucher_sold_here_and_redeemed_there_is_cleared(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.voucher(1, order=1, paid_minor=9_900)
        till.redeem(1, 9_900, "xuhui")
    warehouse.build(*MONEY)
    where = (
        "select sold_channel, sold_place, channel, place, cleared_minor::int"
        " from candidates.cross_store_clearing"
    )
    assert warehouse.rows(where) == [("website", None, "pos", "xuhui", 9_900)]
    with warehouse.writer() as connection:
        till = Till(connection)
        till.order(1, {"1": 9_900})  # the order that sold it is told late
        connection.execute("update hub.orders set place = 'jingan'")
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(where) == [("website", "jingan", "pos", "xuhui", 9_900)]


def test_order_payment_and_bill_are_compared_three_ways(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        for number, paid, billed in ((1, 500, 500), (2, 500, 510), (3, 400, 390), (4, 500, None)):
            till.order(number, {"1": 500})
            till.pay(number, paid)
            if billed is not None:
                till.bill(number, billed, commission_minor=20)
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(
        "select status, payment_difference_minor, bill_difference_minor, payout_minor"
        " from candidates.settlements order by order_number"
    ) == [
        ("matched", 0, 0, 479),
        ("long", 0, 10, 489),
        ("short", -100, -10, 369),
        ("unbilled", 0, None, 0),
    ]


def test_a_live_session_ends_with_what_is_left_of_its_sales(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.session("live-1")
        till.session("live-2")
        till.order(1, {"1": 1_000})
        till.pay(1, 1_000)
        till.tell_more(1, session="live-1")
        till.voucher(1, order=1, paid_minor=1_000)
    warehouse.build(*MONEY)
    with warehouse.writer() as connection:
        till = Till(connection)
        till.refund(1, "r1", 200)
        till.bill(1, 1_000, commission_minor=99)
        till.redeem(1, 1_000, "xuhui")
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(
        "select session_id, currency, anchors, order_count, paid_minor, refunded_minor,"
        " voucher_redeemed_minor, commission_minor, net_minor"
        " from candidates.live_sessions order by 1"
    ) == [
        ("live-1", "CNY", ["lin"], 1, 1_000, 200, 1_000, 99, 700),
        ("live-2", "XXX", [], 0, 0, 0, 0, 0, 0),
    ]


def test_a_sale_that_turns_out_to_be_of_another_day_leaves_the_first(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.order(1, {"1": 500}, at=NEXT_DAY)
        till.event(1, "order.placed", NEXT_DAY)
    warehouse.build(*MONEY)
    with warehouse.writer() as connection:
        till = Till(connection)
        till.order(1, {"1": 500}, at=PLACED)
        till.event(1, "order.placed", "2026-03-01 12:00:00+08")
    assert warehouse.check(), warehouse.results
    assert warehouse.rows("select sales_date::text, order_count from candidates.daily_sales") == [
        ("2026-03-01", 1)
    ]


def test_members_are_counted_once_a_day_also_after_they_are_joined(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        for member in (1, 2):
            till.member(member)
            till.profile(10 + member, member)
            till.order(member, {"1": 500}, profile=10 + member)
    warehouse.build(*MONEY)
    members = "select order_count, member_count from candidates.daily_sales"
    assert warehouse.rows(members) == [(2, 2)]
    with warehouse.writer() as connection:
        Till(connection).move(12, 1)
    warehouse.build(*MONEY)
    assert warehouse.rows(members) == [(2, 1)]


def test_channels_show_what_became_of_their_events_and_how_long_they_took(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.event(1, "order.placed", PLACED)
        till.event(2, "order.placed", PLACED, outcome="parked")
        till.event(3, "order.placed", PLACED, outcome="ignored", channel="sandbox-website")
    warehouse.build("--select", "+channel_sync")
    figures = (
        "select channel, type, received_count, applied_count, parked_count, latency_ms_p99"
        " from candidates.channel_sync"
    )
    assert warehouse.rows(figures) == [("website", "order.placed", 2, 1, 1, 250)]
    with warehouse.writer() as connection:
        connection.execute(
            "update log.inbox set outcome = 'applied', changed_xid = pg_current_xact_id()"
        )
    warehouse.build("--select", "+channel_sync")
    assert warehouse.rows(figures) == [("website", "order.placed", 2, 2, 0, 250)]
