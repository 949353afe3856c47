"""Portraits: what is said of a member, and that it follows the facts and the merges."""

from datetime import UTC, datetime, timedelta

import pytest
from dbt.contracts.graph.manifest import Manifest

from hub_assets import testing
from hub_assets.testing import Warehouse
from tests.integration.marts.till import Till

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

A_MONTH_LATER = "2026-03-31 12:00:00+08"


@pytest.fixture(scope="module")
def manifest(manifest: Manifest) -> Manifest:
    """The marts that say something of people."""
    return testing.only(manifest, "customer_portrait", "segments", "basket_pairs", "cases")


def buys(till: Till, order: int, lines: dict[str, int], profile: int, at: str) -> None:
    till.order(order, lines, profile=profile, at=at)
    till.pay(order, sum(lines.values()), at=at)


def test_a_portrait_follows_sales_points_tiers_and_merges(warehouse: Warehouse) -> None:
    soon, later = (datetime.now(UTC) + timedelta(days=days) for days in (10, 300))
    with warehouse.writer() as connection:
        till = Till(connection)
        till.item("sku-1", "cakes")
        till.item("sku-2", "bread")
        for member, channel in ((1, "website"), (2, "pos")):
            till.member(member)
            till.profile(10 + member, member, channel)
        buys(till, 1, {"1": 1_000, "2": 300}, 11, "2026-03-01 12:00:00+08")
        till.lot(11, 50, soon)
        till.lot(11, 70, later)
        till.points(11, 120)
        till.tier(1, "gold")
    warehouse.build()
    said = (
        "select order_count, spent_minor, last_order_date::text, churn_risk_date::text,"
        " days_between_orders::int, preferred_category, tiers, points_balance, points_at_risk"
        " from candidates.customer_portrait order by order_count desc, points_balance desc"
    )
    gold = {"club": "gold"}
    once = (1, 1_300, "2026-03-01", "2026-05-30", None, "cakes", gold, 120, 50)
    nothing = (0, 0, None, None, None, None, {}, 0, 0)
    assert warehouse.rows(said) == [once, nothing]
    with warehouse.writer() as connection:
        till = Till(connection)
        buys(till, 2, {"2": 2_000}, 12, A_MONTH_LATER)
        till.move(12, 1)
        till.merge(2, into=1)
    assert warehouse.check(), warehouse.results
    twice = (2, 3_300, "2026-03-31", "2026-05-30", 30, "bread", gold, 120, 50)
    assert warehouse.rows(said) == [twice]
    segments = "select segment, holds_from_date::text from candidates.segments order by 1"
    leaving = ("leaving", "2026-05-30")
    assert warehouse.rows(segments) == [leaving, ("points_at_risk", None), ("regular", None)]


def test_a_build_that_was_not_published_leaves_nothing_in_marts_made_of_marts(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        for member in (1, 2):
            till.member(member)
            till.profile(10 + member, member)
            buys(till, member, {"1": 100}, 10 + member, "2026-03-01 12:00:00+08")
    assert warehouse.check(), warehouse.results
    segments = "select count(*) filter (where segment = 'regular') from candidates.segments"
    with warehouse.writer() as connection:
        buys(Till(connection), 3, {"1": 100}, 11, A_MONTH_LATER)
    warehouse.build()
    assert warehouse.rows(segments) == [(1,)]
    with warehouse.writer() as connection:  # the late sale was another member's
        buys(Till(connection), 3, {"1": 100}, 12, A_MONTH_LATER)
        connection.execute("update hub.profiles set changed_xid = pg_current_xact_id()")
    assert warehouse.check(), warehouse.results
    regular = "select member_id from candidates.segments where segment = 'regular'"
    [(member,)] = warehouse.rows(regular)
    assert member.int == 2
    by_increments = warehouse.rows("select * from candidates.segments order by 1, 2")
    warehouse.build("--full-refresh")
    assert warehouse.rows("select * from candidates.segments order by 1, 2") == by_increments


def test_categories_bought_together_are_paired_by_month(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.item("sku-1", "cakes")
        till.item("sku-2", "bread")
        till.order(1, {"1": 100, "2": 100})
        till.order(2, {"1": 100})
    warehouse.build()
    pairs = (
        "select category, other_category, order_count, category_order_count,"
        " other_category_order_count, lift::float from candidates.basket_pairs"
    )
    assert warehouse.rows(pairs) == [("bread", "cakes", 1, 1, 2, 1.0)]
    with warehouse.writer() as connection:
        till = Till(connection)
        till.order(3, {"2": 100})
        till.item("sku-1", "gateaux")
    warehouse.build()
    assert warehouse.rows(pairs) == [("bread", "gateaux", 1, 2, 2, 0.75)]


def test_a_case_tells_how_long_it_took_and_who_ended_it(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        till = Till(connection)
        till.case(1, "oversold")
        till.case(2, "no_show", closed_at="2026-03-01 15:00:00+08")
    warehouse.build()
    assert warehouse.rows(
        "select kind, hours_to_close::float, settlement_count from candidates.cases order by 1"
    ) == [("no_show", 3.0, 1), ("oversold", None, 0)]
