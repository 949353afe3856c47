"""A check that no rule has failed runs, so that alert routes tell people of each change once."""

import asyncio

import dagster as dg
from dagster import AutomationCondition

from hub import settings
from hub.store import db, rule_runs

CRON = "*/15 * * * *"


@dg.asset_check(
    asset=dg.AssetKey(["hub", "outbox"]),
    description="No sync rule has runs that failed and that nobody made again or dismissed.",
    automation_condition=AutomationCondition.cron_tick_passed(CRON).with_label(
        "each quarter of an hour"
    ),
)
def rules_run_well() -> dg.AssetCheckResult:
    """Fails with the names of the rules that fail, and how many of their runs."""
    failing = asyncio.run(_failing(settings.load().dsn("reader")))
    return dg.AssetCheckResult(
        passed=not failing,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": sum(failing.values()), "rules": dg.MetadataValue.json(failing)},
    )


async def _failing(dsn: str) -> dict[str, int]:
    connection = await db.connect(dsn)
    try:
        return await rule_runs.failing(connection)
    finally:
        await connection.close()
