"""The sensor that builds the warehouse by itself, and the job that does it at once."""

import dagster as dg

from hub_assets import automation, publishing

MARTS = dg.AssetSelection.groups("staging", "intermediate") | dg.AssetSelection.key_prefixes(
    ["marts"]
)
# A comparison with a channel is a run of its own, with its own schedule.
CHECKS = dg.AssetSelection.all_asset_checks() - dg.AssetSelection.groups("recon")


@dg.definitions
def warehouse_automation() -> dg.Definitions:
    """On by default."""
    job = dg.define_asset_job(
        "refresh_marts",
        # Said at the end of each build, whatever becomes of it.
        selection=(MARTS | CHECKS) - dg.AssetSelection.checks(publishing.CHECK),
        description="Build the whole warehouse now and run all checks.",
    )
    sensor = dg.AutomationConditionSensorDefinition(
        "build_when_events_came",
        target=dg.AssetSelection.all() | dg.AssetSelection.all_asset_checks(),
        minimum_interval_seconds=automation.SENSOR_INTERVAL_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        # Once more if its process died; a check that failed fails again.
        run_tags={"dagster/max_retries": "1"},
        description="Builds the warehouse after events came; verifies the invariants hourly.",
    )
    # Every run is one or two steps: a process for each would mostly load the code again.
    return dg.Definitions(jobs=[job], sensors=[sensor], executor=dg.in_process_executor)
