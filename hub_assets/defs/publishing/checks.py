"""Whether readers see the last build of the marts."""

import dagster as dg
import psycopg

from hub import settings
from hub_assets import automation, publishing
from hub_assets.dbt import CONNECT_TIMEOUT_S


@dg.asset_check(
    asset=publishing.CHECK.asset_key,
    name=publishing.CHECK.name,
    description="Readers see the last build of the marts. Otherwise: which they see, and why.",
    automation_condition=automation.hourly(),
)
def readers_see_the_last_build() -> dg.AssetCheckResult:
    """Compare the last build with the published one."""
    with psycopg.connect(
        settings.load().dsn("dbt"), connect_timeout=CONNECT_TIMEOUT_S
    ) as connection:
        now = publishing.state(connection)
    found = publishing.evaluation(now)
    return dg.AssetCheckResult(
        passed=found.passed, description=found.description, metadata=found.metadata
    )
