"""The whole graph in one go: streams observed, marts built, checks run, all seen in Dagster."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from hub.demo import feed
from hub.demo.envelope import Record
from hub.domain import topics
from hub.local import dagster as local_dagster
from hub.local import kafka
from hub.settings import Settings
from hub_assets import dbt, materialize, streams
from hub_assets.testing import DAYS, MARTS, Hub, Warehouse

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def hub(warehouse: Warehouse, broker: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a hub with database and broker, and the environment of its Dagster."""
    kafka.ensure_topics(broker)
    secret = warehouse.settings.secret().decode()
    hub = warehouse.settings.model_copy(
        update={"kafka_brokers": broker.brokers, "data_dir": tmp_path}
    )
    (tmp_path / "secret.key").write_text(secret)
    local_dagster.prepare(hub, ROOT)
    with dbt.variables(local_dagster.environment(hub)):
        yield hub


def test_a_refresh_builds_all_marts_and_names_the_checks_that_fail(
    hub: Settings, warehouse: Warehouse
) -> None:
    with warehouse.writer() as connection:
        rows = Hub(connection)
        rows.member(11)  # a member is named after its smallest profile
        rows.profile(11, 11)
        rows.coupon(1, redeemed=1)
        rows.points(11, 100)
        connection.execute("update hub.points_entries set points = 99")
    result = materialize.refresh_marts(hub)
    assert result.failed == [
        "points_accounts_equal_their_entries",
        "points_accounts_equal_their_lots",
        "points_ledger_sums_to_balances",
    ]
    assert not result.success
    assert (result.checks_failed, result.checks_passed > 50) == (3, True)
    assert result.rows == {}, "what failed its checks is not published"
    shown = metadata_of("points_balances", "points_ledger_sums_to_balances")
    assert shown["failing_rows"].value == [{"profile_id": str(uuid.UUID(int=11))}]
    assert "select" in shown["failing_query"].value
    with warehouse.writer() as connection:
        connection.execute(
            "update hub.points_entries set points = 100, changed_xid = pg_current_xact_id()"
        )
    result = materialize.refresh_marts(hub)
    assert [name for name in result.failed if not name.startswith("points_accounts")] == []
    assert set(result.rows) == MARTS
    assert {mart: rows for mart, rows in result.rows.items() if rows} == {
        "coupons": 1, "customer_portrait": 1, "dates": DAYS, "member_identities": 1,
        "member_links": 1, "members": 1, "points_balances": 1, "points_ledger": 1,
    }  # fmt: skip
    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(result.run_id)
        built = instance.get_latest_materialization_event(dg.AssetKey(["marts", "members"]))
        assert built is not None
        assert built.asset_materialization is not None
        assert built.asset_materialization.metadata["dagster/row_count"].value == 1
        assert instance.get_latest_materialization_event(dg.AssetKey(["hub", "orders"]))


def metadata_of(mart: str, check: str) -> Any:
    """What the last evaluation of a check says besides."""
    with dg.DagsterInstance.get() as instance:
        found = instance.get_latest_asset_check_evaluation_record(
            dg.AssetCheckKey(dg.AssetKey(["marts", mart]), check)
        )
    assert found is not None
    assert found.event is not None
    assert found.event.dagster_event is not None
    return found.event.dagster_event.asset_check_evaluation_data.metadata


def test_lag_is_what_kafka_has_and_the_hub_has_not_stored(
    hub: Settings, warehouse: Warehouse
) -> None:
    events = [Record(0, topics.POINTS, b"k", b"1")] * 3
    asyncio.run(feed.feed(hub.brokers, events))
    before = streams.measure(hub)[topics.POINTS]
    with warehouse.owner() as connection:
        connection.execute(
            "insert into log.offsets (consumer_group, topic, partition, next_offset, cluster_id)"
            " values ('hub', %s, 0, 3, 'c')",
            [topics.POINTS],
        )
    after = streams.measure(hub)[topics.POINTS]
    assert (before.stored, before.stored_at) == (0, None)
    assert after.stored == 3
    assert after.stored_at is not None
    assert after.lag <= before.lag == before.events
    assert before.events >= len(events)


def test_a_database_that_is_gone_is_an_error_one_can_name(hub: Settings) -> None:
    gone = hub.model_copy(update={"postgres_port": 1})
    with pytest.raises(psycopg.OperationalError):
        streams.measure(gone)
