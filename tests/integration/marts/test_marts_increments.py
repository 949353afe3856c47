"""Nothing is lost between two builds, whatever the order in which transactions commit."""

import pytest

from hub_assets.testing import DAYS, MARTS, PLACED, Hub, Warehouse
from tests.integration.marts.till import Till

# dbt and its libraries warn of their own matters.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

ORDERS = ("--select", "+orders", "+order_lines")
DIGESTS = {
    mart: "select count(*), md5(string_agg(m::text, '|' order by m::text))"
    f" from candidates.{mart} m"
    for mart in sorted(MARTS)
}


def digests(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    return {mart: warehouse.rows(query)[0] for mart, query in DIGESTS.items()}


def a_day(hub: Till) -> None:
    """A bit of everything."""
    for member in (1, 2):
        hub.member(member)
        hub.profile(10 + member, member)
        hub.points(10 + member, 100)
    hub.profile(13, 2, "mini-program")
    hub.order(1, {"1": 1000, "2": 500}, profile=11)
    hub.order(2, {"1": 700}, profile=13)
    hub.order(3, {"1": 300})
    hub.coupon(1, redeemed=2)
    hub.coupon(2, redeemed=0)
    hub.stock("cake", 5000)
    hub.item("sku-1", "cakes")
    hub.place("store-1")
    hub.channel("website")
    hub.pay(1, 1500)
    hub.tell_more(2, {"voucher": 700}, session="live-1")
    hub.session("live-1")
    hub.voucher(3, order=3, paid_minor=300)
    hub.event(3, "order.placed", PLACED)
    hub.tier(1, "gold")
    hub.case(1, "oversold")


def test_an_empty_hub_gives_empty_marts_and_all_tests_pass(warehouse: Warehouse) -> None:
    assert warehouse.check(), warehouse.results
    counts = {mart: count for mart, (count, _) in digests(warehouse).items() if count}
    assert counts == {"dates": DAYS}


def test_an_increment_equals_a_full_build(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        a_day(Till(connection))
    warehouse.build()
    with warehouse.writer() as connection:
        hub = Till(connection)
        hub.member(3)
        hub.profile(14, 3)
        hub.order(1, {"1": 900}, profile=11)
        hub.order(4, {"1": 100}, profile=14)
        hub.move(13, 1)
        hub.points(11, 7)
        hub.stock("cake", -1000)
        hub.item("sku-1", "bread")
        hub.item("sku-2", "bread")
        hub.pay(3, 300)
        hub.tier(2, "silver")
        hub.refund(3, "r1", 100, at="2026-03-05 09:00:00+08")
        hub.bill(3, 299, commission_minor=9)
        hub.redeem(3, 300, "store-1", at="2026-03-06 09:00:00+08")
        hub.event(3, "refund.succeeded", "2026-03-05 09:00:00+08")
    assert warehouse.check(), warehouse.results
    by_increments = digests(warehouse)
    warehouse.build("--full-refresh")
    assert digests(warehouse) == by_increments
    assert by_increments["orders"][0] == 4
    assert by_increments["order_lines"][0] == 4


def test_a_build_touches_only_what_changed(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
        Hub(connection).order(2, {"1": 200})
    warehouse.settle()
    warehouse.build(*ORDERS)
    with warehouse.owner() as connection:
        connection.execute("update candidates.orders set status = 'untouched'")
    with warehouse.writer() as connection:
        Hub(connection).order(2, {"1": 250})
    warehouse.build(*ORDERS)
    assert warehouse.rows("select order_number, status from candidates.orders order by 1") == [
        ("1", "untouched"),
        ("2", "open"),
    ]


def test_a_transaction_that_commits_after_a_newer_one_was_read_is_not_lost(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as older, warehouse.writer() as newer:
        Hub(older).order(1, {"1": 100})  # takes its transaction id first
        Hub(newer).order(2, {"1": 200})
        newer.commit()
        warehouse.build(*ORDERS)
        assert warehouse.rows("select order_number from candidates.orders") == [("2",)]
        older.commit()
    warehouse.build(*ORDERS)
    assert warehouse.rows("select order_number from candidates.orders order by 1") == [
        ("1",),
        ("2",),
    ]
    assert warehouse.rows("select count(*) from candidates.order_lines") == [(2,)]


def test_the_line_that_an_amendment_drops_leaves_the_mart(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100, "2": 50})
    warehouse.build(*ORDERS)
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"2": 60})
    assert warehouse.check(), warehouse.results
    assert warehouse.rows("select line, total_minor from candidates.order_lines") == [("2", 60)]
    assert warehouse.rows("select total_minor from candidates.orders") == [(60,)]


def test_all_marts_of_a_run_show_one_moment_while_the_hub_goes_on(warehouse: Warehouse) -> None:
    """The order changes between the builds of its two marts: both keep the run's snapshot."""
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
    warehouse.build("--select", "staging", "intermediate")
    with warehouse.run() as run:
        assert run("run", "--select", "orders")
        with warehouse.writer() as connection:
            Hub(connection).order(1, {"1": 100, "2": 50})
        assert run("run", "--select", "order_lines")
        assert run("test", "--select", "order_total_is_the_sum_of_its_lines")
    warehouse.build(*ORDERS)
    assert warehouse.rows("select sum(total_minor) from candidates.order_lines") == [(150,)]


def test_without_a_shared_snapshot_nothing_is_lost_either(warehouse: Warehouse) -> None:
    with warehouse.writer() as older, warehouse.writer() as newer:
        Hub(older).order(1, {"1": 100})
        Hub(newer).order(2, {"1": 200})
        newer.commit()
        warehouse.build(*ORDERS, snapshot=False)
        older.commit()
    warehouse.build(*ORDERS, snapshot=False)
    assert warehouse.rows("select count(*) from candidates.orders") == [(2,)]


def test_a_build_that_fails_is_made_up_for_by_the_next(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
    warehouse.build(*ORDERS)
    with warehouse.writer() as connection:
        Hub(connection).order(2, {"1": 200})
        connection.execute(
            "update hub.orders set gross_minor = 9, discount_minor = 9 - total_minor"
        )
    table = warehouse.rows("select rows_table from mart_rows.marts where mart = 'orders'")[0][0]
    with warehouse.owner() as connection:
        connection.execute(
            f"alter table mart_rows.{table} add constraint no check (gross_minor <> 9)".encode()
        )
    assert not warehouse.dbt("run", "--select", "orders")
    with warehouse.owner() as connection:
        connection.execute(f"alter table mart_rows.{table} drop constraint no".encode())
    warehouse.build(*ORDERS)
    assert warehouse.rows("select count(*) from candidates.orders") == [(2,)]
