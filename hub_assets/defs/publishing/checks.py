"""Whether readers see the last build of the marts."""

import dagster as dg
import psycopg

from hub import settings
from hub_assets import automation, publishing
from hub_assets.dbt import CONNECT_TIMEOUT_S


@dg.asset_check(
    asset=automation.WITNESS,
    description="Readers see the last build of the marts. Otherwise: which they see, and why.",
    automation_condition=automation.hourly(),
)
def readers_see_the_last_build() -> dg.AssetCheckResult:
    """Compare the last build with the published one."""
    with psycopg.connect(
        settings.load().dsn("dbt"), connect_timeout=CONNECT_TIMEOUT_S
    ) as connection:
        now = publishing.state(connection)
    return dg.AssetCheckResult(
        passed=now.is_current,
        description=publishing.told(now),
        metadata={
            "shown_build": str(now.shown_build),
            "shown_since": str(now.shown_since),
            "shown_bound_xid": str(now.bound_xid),
            "last_build": str(now.last_build),
            "last_status": str(now.last_status),
            "reason": now.reason or "",
        },
    )
