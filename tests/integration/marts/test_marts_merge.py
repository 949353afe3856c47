"""Two members with a thousand orders become one: the marts change what they must and no more."""

from datetime import datetime, timedelta

import pytest
from dbt.contracts.graph.manifest import Manifest

from hub_assets import testing
from hub_assets.testing import Warehouse
from tests.integration.marts.till import Till

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MARTS = (
    "members", "member_identities", "member_links", "customer_portrait", "segments",
    "orders", "order_lines", "daily_sales", "points_ledger", "points_balances",
)  # fmt: skip
ORDERS_EACH = 500
DAYS_EACH = 50
DAYS_SHARED = 25
"""The second member's days begin that many before the first one's end."""
FIRST_DAY = datetime.fromisoformat("2026-03-01 12:00:00+08")


@pytest.fixture(scope="module")
def manifest(manifest: Manifest) -> Manifest:
    """The marts that say whose something is, or count people."""
    return testing.only(manifest, *MARTS)


def buy(till: Till, first_order: int, profile: int, first_day: int) -> None:
    """As many orders on each of the member's days."""
    for number in range(ORDERS_EACH):
        day = FIRST_DAY + timedelta(days=first_day + number % DAYS_EACH)
        till.order(first_order + number, {"1": 100}, profile=profile, at=str(day))
        till.pay(first_order + number, 100, at=str(day))


def changed_rows(warehouse: Warehouse, mart: str) -> tuple[int, int]:
    """Rows that (went, came) with the last build."""
    [(table,)] = warehouse.rows(f"select rows_table from mart_rows.marts where mart = '{mart}'")
    [(went, came)] = warehouse.rows(
        "select count(*) filter (where build_to = build),"
        " count(*) filter (where build_from = build)"
        f" from mart_rows.{table}, (select max(build) as build from mart_rows.builds) as last"
    )
    return went, came


def test_a_merge_of_a_thousand_orders_rewrites_the_member_and_the_shared_days_alone(
    warehouse: Warehouse,
) -> None:
    with warehouse.writer() as connection, connection.pipeline():
        till = Till(connection)
        for member in (1, 2, 3):
            till.member(member)
            till.profile(10 + member, member)
            till.points(10 + member, 100)
        buy(till, 1, profile=11, first_day=0)
        buy(till, 1 + ORDERS_EACH, profile=12, first_day=DAYS_EACH - DAYS_SHARED)
        till.order(5_000, {"1": 100}, profile=13, at=str(FIRST_DAY))
    warehouse.settle()
    assert warehouse.check(), warehouse.results
    with warehouse.writer() as connection:
        till = Till(connection)
        till.move(12, 1)
        till.merge(2, into=1)
    assert warehouse.check(), warehouse.results
    assert {mart: changed_rows(warehouse, mart) for mart in MARTS} == {
        "member_identities": (1, 1),
        "member_links": (1, 2),
        "members": (2, 1),
        "customer_portrait": (2, 1),
        "segments": (3, 1),  # one stays regular, and has another date of leaving
        "daily_sales": (DAYS_SHARED, DAYS_SHARED),
        **dict.fromkeys(["orders", "order_lines", "points_ledger", "points_balances"], (0, 0)),
    }
    bought = "select order_count, spent_minor from candidates.customer_portrait order by 1"
    assert warehouse.rows(bought) == [(0, 0), (2 * ORDERS_EACH, 2 * ORDERS_EACH * 100)]
