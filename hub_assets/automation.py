"""When the warehouse is built by itself: some time after events came, all of it, in one run.

All models and their checks share one condition that looks at the same two assets. So they are
always wanted together, and one run builds every mart from one snapshot of the hub.
"""

import dagster as dg
from dagster import AutomationCondition

EVENTS = dg.AssetKey(["log", "inbox"])
WITNESS = dg.AssetKey(["marts", "orders"])
# A refresh takes some 20 s of one core, mostly start-up: every five minutes it costs under a tenth.
REFRESH_CRON = "*/5 * * * *"
CHECK_CRON = "0 * * * *"
SENSOR_INTERVAL_S = 30


def when_events_came() -> AutomationCondition:
    """True at a refresh time if events came since the last build, and no build is under way."""
    came = AutomationCondition.asset_matches(EVENTS, AutomationCondition.data_version_changed())
    missing = AutomationCondition.asset_matches(WITNESS, AutomationCondition.missing())
    built = AutomationCondition.asset_matches(
        WITNESS, AutomationCondition.newly_requested() | AutomationCondition.newly_updated()
    )
    building = AutomationCondition.asset_matches(WITNESS, AutomationCondition.in_progress())
    return (
        (came | missing).since(built)
        & AutomationCondition.cron_tick_passed(REFRESH_CRON)
        & ~building
    ).with_label(f"events came since the last build, at {REFRESH_CRON}")


def hourly() -> AutomationCondition:
    """True once an hour: for the invariants, which read whole tables."""
    return AutomationCondition.cron_tick_passed(CHECK_CRON).with_label("once an hour")
