"""A check, once a day, that yesterday brought about as many events as such days do."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
from dagster import AutomationCondition

from hub import settings
from hub_assets import volumes
from hub_assets.dbt import CONNECT_TIMEOUT_S

CRON = "20 0 * * *"


@dg.asset_check(
    asset=dg.AssetKey(["log", "events"]),
    description="Each topic's events of yesterday are within a third and three times of usual.",
    automation_condition=AutomationCondition.cron_tick_passed(CRON).with_label("once a day"),
)
def volumes_are_like_their_past() -> dg.AssetCheckResult:
    """A warning: a campaign, a closed shop, or a channel that stands still."""
    hub = settings.load()
    yesterday = datetime.now(UTC).astimezone(hub.zone).date() - timedelta(days=1)
    with psycopg.connect(hub.dsn("dbt"), connect_timeout=CONNECT_TIMEOUT_S) as connection:
        measured = volumes.measure(connection, yesterday, hub.business_zone)
    odd = [one.topic for one in measured if one.is_odd]
    return dg.AssetCheckResult(
        passed=not odd,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "day": yesterday.isoformat(),
            "odd": dg.MetadataValue.json(odd),
            "topics": dg.MetadataValue.json(
                [{"topic": m.topic, "events": m.events, "usual": m.usual} for m in measured]
            ),
        },
    )
