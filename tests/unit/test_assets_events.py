"""What Dagster is told of topics and tables."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from hub.domain import topics
from hub_assets.events import DATA_VERSION_TAG, REPORT_EVERY_S, Cursor, Report, report, topic_key
from hub_assets.streams import TopicState

STORED_AT = datetime(2026, 3, 1, tzinfo=UTC)
NOW = 1_000_000.0
TABLES = {
    ("hub", "orders"): (topics.ORDERS,),
    ("hub", "order_lines"): (topics.ORDERS,),
    ("hub", "coupons"): (topics.COUPONS,),
    ("hub", "places"): (topics.CATALOG,),
    ("log", "inbox"): topics.COMMERCE,
}


def measured(**changes: TopicState) -> dict[str, TopicState]:
    quiet = {topic: TopicState(topic, 10, 10, 0, STORED_AT) for topic in topics.COMMERCE}
    return quiet | {getattr(topics, name): state for name, state in changes.items()}


def reported(found: Report, kind: type) -> set[str]:
    return {event.asset_key.to_user_string() for event in found.events if isinstance(event, kind)}


@pytest.fixture
def last() -> Cursor:
    """Where the report of a quiet moment before left off."""
    return report(measured(), TABLES, Cursor(), NOW - 30).cursor


def test_the_first_report_names_all_topics_and_all_tables() -> None:
    found = report(measured(), TABLES, Cursor(), NOW)
    assert reported(found, dg.AssetObservation) == {f"kafka/{topic}" for topic in topics.COMMERCE}
    assert reported(found, dg.AssetMaterialization) == {"/".join(t) for t in TABLES}


def test_a_quiet_moment_reports_nothing(last: Cursor) -> None:
    assert report(measured(), TABLES, last, NOW).events == []


def test_a_quiet_hub_says_now_and_then_that_it_is_current(last: Cursor) -> None:
    found = report(measured(), TABLES, last, NOW - 30 + REPORT_EVERY_S)
    assert "hub/orders" in reported(found, dg.AssetMaterialization)


def test_a_topic_that_moved_reports_the_tables_it_feeds_and_no_others(last: Cursor) -> None:
    moved = measured(COUPONS=TopicState(topics.COUPONS, 20, 15, 5, STORED_AT))
    tables = reported(report(moved, TABLES, last, NOW), dg.AssetMaterialization)
    assert "hub/coupons" in tables
    assert "log/inbox" in tables
    assert "hub/order_lines" not in tables


def test_a_stuck_topic_shows_its_lag_and_leaves_its_tables_to_go_stale(last: Cursor) -> None:
    stuck = measured(ORDERS=TopicState(topics.ORDERS, 50, 10, 40, STORED_AT))
    found = report(stuck, TABLES, last, NOW - 30 + REPORT_EVERY_S)
    observed = [event for event in found.events if event.asset_key == topic_key(topics.ORDERS)]
    assert observed[0].metadata["lag_events"] == dg.MetadataValue.int(40)
    tables = reported(found, dg.AssetMaterialization)
    assert "hub/orders" not in tables
    assert "hub/places" in tables


def test_the_version_of_a_table_changes_only_with_what_is_stored(last: Cursor) -> None:
    def version(found: Report) -> str:
        tables = [e for e in found.events if isinstance(e, dg.AssetMaterialization)]
        orders = next(e for e in tables if e.asset_key == dg.AssetKey(["hub", "orders"]))
        return (orders.tags or {})[DATA_VERSION_TAG]

    quiet = report(measured(), TABLES, last, NOW + REPORT_EVERY_S)
    further = measured(ORDERS=TopicState(topics.ORDERS, 11, 11, 0, STORED_AT))
    moved = report(further, TABLES, last, NOW)
    assert version(quiet) == version(report(measured(), TABLES, Cursor(), NOW))
    assert version(moved) != version(quiet)
