"""Late facts: a link that changes, a member that merges, a hub that was replayed."""

import pytest
from dbt.contracts.graph.manifest import Manifest
from psycopg import sql

from hub_assets import testing
from hub_assets.testing import Hub, Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PEOPLE = ("--select", "+members", "+member_identities", "+orders")
ORDERS = ("--select", "+orders", "+order_lines")
ORDERS_BY_MEMBER = """
    select right(member_id::text, 1), count(*)
    from candidates.orders inner join candidates.member_identities using (profile_id)
    group by 1 order by 1
"""


@pytest.fixture(scope="module")
def manifest(manifest: Manifest) -> Manifest:
    """People, their orders and points."""
    return testing.only(
        manifest,
        "members", "member_identities", "member_links", "orders", "order_lines", "points_ledger",
        "points_balances",
    )  # fmt: skip


def test_a_late_link_change_re_attributes_earlier_orders(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        for member in (1, 2):
            hub.member(member)
            hub.profile(10 + member, member)
            hub.order(member, {"1": 100}, profile=10 + member)
    warehouse.build(*PEOPLE)
    assert warehouse.rows(ORDERS_BY_MEMBER) == [("1", 1), ("2", 1)]
    with warehouse.writer() as connection:
        Hub(connection).move(12, 1)
        Hub(connection).merge(2, into=1)
    assert warehouse.check(), warehouse.results
    assert warehouse.rows(ORDERS_BY_MEMBER) == [("1", 2)]
    assert warehouse.rows("select profile_count from candidates.members") == [(2,)]


def test_whose_an_account_was_on_a_past_day_can_be_asked_for(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        for member in (1, 2):
            hub.member(member)
            hub.profile(10 + member, member)
    warehouse.build(*PEOPLE, "+member_links")
    with warehouse.writer() as connection:
        Hub(connection).move(12, 1)
        connection.execute(
            "update hub.member_links set valid_from = '2026-04-01', reason = 'shared_phone'"
            " where valid_to is null and right(member_id::text, 1) = '1'"
            " and right(profile_id::text, 1) = 'c'"
        )
        connection.execute(
            "update hub.member_links set valid_to = '2026-04-01' where valid_to is not null"
        )
    warehouse.build(*PEOPLE, "+member_links")
    whose = (
        "select right(member_id::text, 1) from candidates.member_links"
        " where right(profile_id::text, 1) = 'c' and valid_from <= '{0}'"
        " and (valid_to > '{0}' or valid_to is null)"
    )
    assert warehouse.rows(whose.format("2026-03-15")) == [("2",)]
    assert warehouse.rows(whose.format("2026-04-15")) == [("1",)]


def test_a_member_that_was_left_by_all_accounts_has_no_row(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        for member in (1, 2):
            hub.member(member)
            hub.profile(10 + member, member)
    warehouse.build(*PEOPLE)
    with warehouse.writer() as connection:
        Hub(connection).move(12, 1)
    warehouse.build(*PEOPLE)
    assert warehouse.rows("select right(member_id::text, 1) from candidates.members") == [("1",)]
    with warehouse.writer() as connection:
        Hub(connection).move(12, 2)
    warehouse.build(*PEOPLE)
    assert warehouse.rows("select count(*) from candidates.members") == [(2,)]


def test_a_replayed_schema_replaces_the_marts_whole(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
        Hub(connection).order(2, {"1": 200})
    warehouse.build(*ORDERS)
    swap_in_a_schema_with_one_order(warehouse)
    assert warehouse.check(), warehouse.results
    assert warehouse.rows("select order_number from candidates.orders") == [("2",)]
    assert warehouse.rows("select total_minor from candidates.order_lines") == [(200,)]


def test_a_replay_that_took_rows_away_makes_the_marts_start_anew(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
        Hub(connection).order(2, {"1": 200})
    warehouse.build(*ORDERS)
    with warehouse.owner() as connection:
        connection.execute("delete from hub.orders where order_number = '1'")
        connection.execute("delete from hub.order_lines where total_minor = 100")
        connection.execute(
            "insert into access.replays (replay_id, swapped) values (gen_random_uuid(), true)"
        )
    assert warehouse.check()
    assert warehouse.rows("select order_number from candidates.orders") == [("2",)]
    assert warehouse.rows("select total_minor from candidates.order_lines") == [(200,)]


def test_a_business_date_is_of_the_business_zone(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100}, at="2026-03-01 16:30:00+00")
    warehouse.build(*ORDERS)
    assert str(warehouse.rows("select placed_date from candidates.orders")[0][0]) == "2026-03-02"


def test_a_ledger_that_does_not_sum_up_fails_its_check(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        hub = Hub(connection)
        hub.member(1)
        hub.profile(11, 1)
        hub.points(11, 100)
        connection.execute("update hub.points_entries set points = 99")
    assert not warehouse.check()
    failed = {name for name, status in warehouse.results.items() if status == "fail"}
    assert failed == {"points_ledger_sums_to_balances"}


def test_a_mart_that_differs_from_the_hub_fails_its_check(warehouse: Warehouse) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": 100})
    warehouse.settle()
    warehouse.build(*ORDERS)
    with warehouse.owner() as connection:
        connection.execute("update candidates.orders set event_count = 7")
    assert not warehouse.dbt("test", "--select", "orders_equal_the_hub")


def swap_in_a_schema_with_one_order(warehouse: Warehouse) -> None:
    """As a replay does: another schema of the same shape takes the name, the old one is dropped."""
    with warehouse.owner() as connection:
        connection.execute("create schema hub_replayed")
        for (table,) in connection.execute(
            "select tablename from pg_tables where schemaname = 'hub'"
        ).fetchall():
            name = sql.Identifier(table)
            connection.execute(
                sql.SQL(
                    "create table hub_replayed.{0} (like hub.{0} including all);"
                    "insert into hub_replayed.{0} overriding system value select * from hub.{0}"
                ).format(name)
            )
        connection.execute("delete from hub_replayed.orders where order_number = '1'")
        connection.execute(
            "delete from hub_replayed.order_lines where order_id not in"
            " (select order_id from hub_replayed.orders)"
        )
        connection.execute("alter schema hub rename to hub_old")
        connection.execute("alter schema hub_replayed rename to hub")
        connection.execute("drop schema hub_old cascade")
        connection.execute("grant usage on schema hub to hub_dbt")
        connection.execute("grant select on all tables in schema hub to hub_dbt")
