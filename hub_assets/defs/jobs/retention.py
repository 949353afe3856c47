"""What is forgotten once a day, as an asset: each thing for as long as its setting says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from hub import settings
from hub_assets.graph import written_in
from hub_assets.retention import forget_runs
from hub_assets.upkeep import forget_deliveries

DAILY_CRON = "40 0 * * *"


@dg.asset(
    key=dg.AssetKey(["upkeep", "hub_retention"]),
    deps=[dg.AssetKey(["log", "events"])],
    description="What is older than its setting says is deleted: Dagster's runs and their events"
    " (HUB_RUNS_KEPT_DAYS), deliveries that ended (HUB_DELIVERIES_KEPT_DAYS).",
    group_name="upkeep",
    kinds={"python"},
    owners=["team:streams"],
    metadata=written_in(Path(__file__)),
)
def hub_retention(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Delete it; twice on a day it finds nothing more."""
    hub, now = settings.load(), datetime.now(UTC)
    forgotten = {
        "runs": forget_runs(context.instance, now - timedelta(days=hub.runs_kept_days)),
        "deliveries": forget_deliveries(now - timedelta(days=hub.deliveries_kept_days)),
    }
    return dg.MaterializeResult(metadata=forgotten)


@dg.definitions
def retention() -> dg.Definitions:
    """On by default."""
    schedule = dg.ScheduleDefinition(
        name="forget_daily",
        target=dg.AssetSelection.assets(hub_retention),
        cron_schedule=DAILY_CRON,
        execution_timezone=settings.load().business_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(assets=[hub_retention], schedules=[schedule])
