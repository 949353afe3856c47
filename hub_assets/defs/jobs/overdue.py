"""What ends by time, as assets: the net under the API's task, which ends it within a second.

Points and levels are closed by the day, so each day is a partition; the others are looked at
hourly. Late, twice, or after days off, the hub ends in the same state.
"""

from collections.abc import Iterator

import dagster as dg
from dagster import AssetKey
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from hub import settings
from hub.store.overdue import OVERDUE
from hub_assets import upkeep

HOURLY_CRON = "5 * * * *"
DAILY_CRON = "10 0 * * *"
FIRST_DAY = "2026-01-01"
POOL = "hub_decisions"
"""Runs of one pool wait for each other (dagster.yaml): they would lock the same entities."""
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
AGAIN = dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)
ENDS = {one.name: one for one in OVERDUE}
# Name of the noun -> (words, the tables it is read from).
HOURLY = {
    "reservations": ("Reservations past their time let their stock go.", ["orders"]),
    "deposits": ("Orders whose balance was not paid in time are called off.", ["orders"]),
    "coupons": ("Coupons past their validity end.", ["coupons"]),
    "verifications": (
        "Calls to platforms that were never answered become a case.",
        ["coupon_verifications"],
    ),
}
DAILY = {
    "points": ("Holds and lots of points past their time end.", ["points_accounts", "points_lots"]),
    "tiers": ("Levels that time alone changes are reviewed.", ["growth_entries", "members"]),
}


@dg.definitions
def overdue_jobs() -> dg.Definitions:
    """On by default."""
    zone = settings.load().business_zone
    hourly = [_asset(name, *said) for name, said in HOURLY.items()]
    days = dg.DailyPartitionsDefinition(FIRST_DAY, timezone=zone)
    daily = [_asset(name, *said, days) for name, said in DAILY.items()]
    end_overdue = dg.define_asset_job(
        "end_overdue",
        selection=dg.AssetSelection.assets(*hourly),
        description="End reservations, deposits, coupons and calls to platforms that are due.",
    )
    close_days = dg.define_asset_job(
        "close_days",
        selection=dg.AssetSelection.assets(*daily),
        description="Close the days of points and levels up to now.",
    )
    return dg.Definitions(
        assets=[*hourly, *daily, log_partitions],
        jobs=[end_overdue, close_days],
        schedules=[
            dg.ScheduleDefinition(
                name="end_overdue_hourly",
                job=end_overdue,
                cron_schedule=HOURLY_CRON,
                execution_timezone=zone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
            _close_missing_days(close_days, days, zone),
            dg.ScheduleDefinition(
                name="log_partitions_daily",
                target=dg.AssetSelection.assets(log_partitions),
                cron_schedule=DAILY_CRON,
                execution_timezone=zone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            ),
        ],
    )


def _asset(
    name: str, words: str, tables: list[str], days: dg.PartitionsDefinition | None = None
) -> dg.AssetsDefinition:
    @dg.asset(
        key=AssetKey(["upkeep", f"{name}_ended"]),
        deps=[AssetKey(["hub", table]) for table in tables],
        description=f"{words} The hub's own command does it; nothing is written from here.",
        group_name="upkeep",
        kinds={"python", "postgres"},
        owners=["team:streams"],
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run() if days else None,
        retry_policy=AGAIN,
        pool=POOL,
    )
    def ended() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata=upkeep.end(ENDS[name]))

    return ended


@dg.asset(
    key=AssetKey(["upkeep", "log_partitions"]),
    deps=[AssetKey(["log", "events"])],
    description="The log's partitions of the next months, made before their first event comes.",
    group_name="upkeep",
    kinds={"postgres"},
    owners=["team:streams"],
    retry_policy=AGAIN,
)
def log_partitions() -> dg.MaterializeResult:
    """Make what is missing."""
    return dg.MaterializeResult(metadata=upkeep.make_log_partitions())


def _close_missing_days(
    job: UnresolvedAssetJobDefinition, days: dg.DailyPartitionsDefinition, zone: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="close_missing_days",
        job=job,
        cron_schedule=DAILY_CRON,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Closes yesterday, and the days that were missed before it, in one run.",
    )
    def close_missing_days(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
        known = [
            context.instance.get_materialized_partitions(AssetKey(["upkeep", f"{name}_ended"]))
            for name in DAILY
        ]
        there = days.get_partition_keys(current_time=context.scheduled_execution_time)
        missing = upkeep.missing_days(there, set.intersection(*known))
        if missing:
            first, last = missing
            tags = {RANGE_START_TAG: first, RANGE_END_TAG: last}
            yield dg.RunRequest(run_key=f"{first}..{last}", tags=tags)

    return close_missing_days
