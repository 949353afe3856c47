"""Write, audit, publish: readers see whole builds whose checks passed, and nothing else."""

from datetime import datetime, timedelta

import psycopg
import pytest
from dbt.contracts.graph.manifest import Manifest

from hub_assets import testing
from hub_assets.testing import Hub, Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NUMBERS = "select order_number from marts.orders order by 1"
SHOWN = "select status, reason from marts.builds order by build desc limit 1"


@pytest.fixture(scope="module")
def manifest(manifest: Manifest) -> Manifest:
    """Publishing is the same whichever marts there are: two that belong together, and two with
    personal columns."""
    return testing.only(manifest, "orders", "order_lines", "member_identities", "coupons")


def read(warehouse: Warehouse, query: str) -> list[tuple[object, ...]]:
    """What a reader of the marts gets."""
    return warehouse.rows(query, role="reader")


def sell(warehouse: Warehouse, order: int, total_minor: int = 100) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(order, {"1": total_minor})


def spoil(warehouse: Warehouse) -> None:
    """Something in the hub that no check lets pass: an order that is not its lines."""
    with warehouse.writer() as connection:
        connection.execute(
            "update hub.orders set gross_minor = 7, total_minor = 7,"
            " changed_xid = pg_current_xact_id() where order_number = '2'"
        )


def test_a_failing_check_keeps_the_last_good_state_and_says_so(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    assert warehouse.check(), warehouse.results
    sell(warehouse, 2)
    spoil(warehouse)
    assert not warehouse.check()
    assert read(warehouse, NUMBERS) == [("1",)]
    assert read(warehouse, "select count(*) from marts.order_lines") == [(1,)]
    [(status, reason)] = read(warehouse, SHOWN)
    assert status == "refused"
    assert str(reason) == "failed: order_total_is_the_sum_of_its_lines"
    assert read(warehouse, "select count(*) from marts.builds where is_shown") == [(1,)]
    sell(warehouse, 2)
    assert warehouse.check(), warehouse.results
    assert read(warehouse, NUMBERS) == [("1",), ("2",)]
    assert read(warehouse, SHOWN) == [("published", None)]


def test_checks_of_a_build_read_what_changed_and_all_when_asked(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    warehouse.settle()
    assert warehouse.check(), warehouse.results
    with warehouse.owner() as connection:
        connection.execute("update candidates.orders set net_paid_minor = 1")
    sell(warehouse, 3)
    assert warehouse.check(), warehouse.results
    assert not warehouse.dbt("test", "--select", "order_net_is_paid_less_refunded")


def test_checks_that_changed_read_all_rows(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    warehouse.settle()
    assert warehouse.check(), warehouse.results
    with warehouse.owner() as connection:
        connection.execute("update candidates.orders set net_paid_minor = 1")
        connection.execute("update mart_rows.builds set checks_code = 'of another release'")
    assert not warehouse.check()
    assert warehouse.results["order_net_is_paid_less_refunded"] == "fail"


def test_marts_change_together_or_not_at_all(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    assert warehouse.check(), warehouse.results
    sell(warehouse, 2)
    warehouse.build("--select", "+orders")
    assert read(warehouse, NUMBERS) == [("1",)]
    [(status, reason)] = read(warehouse, SHOWN)
    assert (status, "coupons" in str(reason)) == ("refused", True)


def test_what_was_not_checked_is_not_published_until_it_is(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    warehouse.build()
    [(status, reason)] = read(warehouse, SHOWN)
    assert (status, "did not run" in str(reason)) == ("refused", True)
    assert warehouse.dbt("test", "--exclude-resource-type", "unit_test"), warehouse.results
    assert read(warehouse, NUMBERS) == [("1",)]


def test_the_build_after_one_that_was_killed_heals_it(warehouse: Warehouse) -> None:
    """Killed after half of its marts: what the other half shows is of the build before."""
    sell(warehouse, 1)
    assert warehouse.check(), warehouse.results
    sell(warehouse, 1, total_minor=300)
    warehouse.build("--select", "+orders")
    with warehouse.owner() as connection:  # as a kill leaves it
        connection.execute("update mart_rows.builds set status = 'building' where build = 2")
    assert read(warehouse, "select total_minor from marts.orders") == [(100,)]
    assert warehouse.check(), warehouse.results
    assert read(warehouse, "select total_minor from marts.orders") == [(300,)]
    assert read(warehouse, "select total_minor from marts.order_lines") == [(300,)]
    assert read(warehouse, "select build, status from marts.builds order by 1") == [
        (1, "published"),
        (2, "abandoned"),
        (3, "published"),
    ]


def test_a_past_report_can_be_read_as_it_was_published(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        for member in (1, 2):
            hub.member(member)
            hub.profile(10 + member, member)
            hub.order(member, {"1": 100}, profile=10 + member)
    assert warehouse.check(), warehouse.results
    by_member = (
        "select right(member_id::text, 1), count(*) from marts.orders"
        " inner join marts.member_identities using (profile_id) group by 1 order by 1"
    )
    with warehouse.writer() as connection:
        Hub(connection).move(12, 1)
        Hub(connection).merge(2, into=1)
    assert warehouse.check(), warehouse.results
    with psycopg.connect(warehouse.settings.dsn("reader")) as reader:
        moments = reader.execute("select ended_at from marts.builds order by build").fetchall()
        [(first,), (second,)] = moments
        assert reader.execute(by_member.encode()).fetchall() == [("1", 2)]
        [(told,)] = reader.execute("select marts.as_of(%s)", [as_of(first, second)]).fetchall()
        assert told == first
        assert reader.execute(by_member.encode()).fetchall() == [("1", 1), ("2", 1)]
        reader.execute("select marts.as_of(null)")
        assert reader.execute(by_member.encode()).fetchall() == [("1", 2)]
        with pytest.raises(psycopg.errors.RaiseException, match="no build of the marts is kept"):
            reader.execute("select marts.as_of(%s)", [first - timedelta(seconds=1)])


def as_of(first: datetime, second: datetime) -> datetime:
    return first + (second - first) / 2


def test_a_build_adds_what_differs_and_copies_nothing_else(warehouse: Warehouse) -> None:
    for order in range(1, 6):
        sell(warehouse, order)
    assert warehouse.check(), warehouse.results
    sell(warehouse, 3, total_minor=500)
    sell(warehouse, 4)  # written anew, as it was
    assert warehouse.check(), warehouse.results
    table = warehouse.rows("select rows_table from mart_rows.marts where mart = 'orders'")[0][0]
    assert warehouse.rows(
        f"select build_from, count(*) from mart_rows.{table} group by 1 order by 1"
    ) == [(1, 5), (2, 1)]


def test_a_mart_whose_code_changed_is_built_beside_the_old_one(warehouse: Warehouse) -> None:
    sell(warehouse, 1)
    assert warehouse.check(), warehouse.results
    with warehouse.owner() as connection:  # as if an older version had built it
        old = connection.execute(
            "update mart_rows.marts set rows_table = 'orders__old', published_table = 'orders__old'"
            " where mart = 'orders' returning (select rows_table from mart_rows.marts"
            " where mart = 'orders')"
        ).fetchone()
        assert old is not None
        connection.execute(f"alter table mart_rows.{old[0]} rename to orders__old".encode())
        connection.execute("update mart_rows.orders__old set status = 'of old'")
    sell(warehouse, 2)
    spoil(warehouse)
    assert not warehouse.check()
    assert read(warehouse, "select order_number, status from marts.orders") == [("1", "of old")]
    sell(warehouse, 2)
    assert warehouse.check(), warehouse.results
    assert read(warehouse, "select order_number, status from marts.orders order by 1") == [
        ("1", "open"),
        ("2", "open"),
    ]
    assert warehouse.rows("select to_regclass('mart_rows.orders__old')") == [(None,)]


def test_marts_that_an_older_version_kept_as_tables_become_views(warehouse: Warehouse) -> None:
    with psycopg.connect(warehouse.settings.dsn("dbt")) as connection:
        connection.execute("create table marts.orders (order_number text)")
    sell(warehouse, 1)
    assert warehouse.check(), warehouse.results
    assert read(warehouse, NUMBERS) == [("1",)]


def test_an_analyst_reads_marts_only_and_no_personal_columns(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        hub.member(1)
        hub.profile(11, 1)
        hub.coupon(1, redeemed=0)
    assert warehouse.check(), warehouse.results
    asked = "select account, code from marts.member_identities, marts.coupons"
    assert warehouse.rows(asked, role="analyst") == [("***", "***")]
    assert warehouse.rows(asked, role="reader") == [("a11", "C1")]
    for forbidden in ("hub.orders", "staging.stg_hub__orders", "candidates.orders", "log.events"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            warehouse.rows(f"select * from {forbidden}", role="analyst")


def test_personal_columns_have_no_history(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        hub.member(1)
        hub.profile(11, 1)
    assert warehouse.check(), warehouse.results
    with warehouse.writer() as connection:
        connection.execute(
            "update hub.profiles set account = 'erased', changed_xid = pg_current_xact_id()"
        )
    assert warehouse.check(), warehouse.results
    table = warehouse.rows(
        "select rows_table from mart_rows.marts where mart = 'member_identities'"
    )[0][0]
    assert warehouse.rows(f"select distinct account from mart_rows.{table}") == [("erased",)]


def test_of_past_days_the_last_build_is_kept(warehouse: Warehouse) -> None:
    for total_minor in (100, 200, 300):
        sell(warehouse, 1, total_minor)
        assert warehouse.check(), warehouse.results
    with warehouse.owner() as connection:  # as if the first two had been of an earlier day
        connection.execute(
            "update mart_rows.builds set ended_at = ended_at - interval '3 days' where build < 3"
        )
        connection.execute(
            "update mart_rows.builds set ended_at = ended_at - interval '2 days' where build = 3"
        )
    sell(warehouse, 1, 400)
    assert warehouse.check(), warehouse.results
    table = warehouse.rows("select rows_table from mart_rows.marts where mart = 'orders'")[0][0]
    totals = warehouse.rows(f"select total_minor from mart_rows.{table} order by 1")
    assert totals == [(200,), (300,), (400,)]
    assert read(warehouse, "select build from marts.builds where is_kept order by 1") == [
        (2,), (3,), (4,),
    ]  # fmt: skip
