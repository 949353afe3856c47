"""What Dagster keeps of itself: its runs with their events, for as long as the setting says.

A run every five minutes would fill a disk within a year. Not here: ticks of schedules and sensors
(dagster.yaml), past builds of the marts (`as_of_days` in dbt_project.yml).
"""

from datetime import datetime

import dagster as dg

BATCH = 100
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
# Which days were closed is known from the events of the runs that did it.
PARTITIONED = ("dagster/partition", "dagster/asset_partition_range_start")


def forget_runs(instance: dg.DagsterInstance, before: datetime) -> int:
    """Delete ended runs that were made before a moment, with their events; how many.

    Runs that did partitions stay: a day whose run is gone would be done again.
    """
    wanted = dg.RunsFilter(statuses=ENDED, created_before=before)
    forgotten, cursor = 0, None
    while found := instance.get_runs(wanted, cursor=cursor, limit=BATCH):
        for run in found:
            if not any(tag in run.tags for tag in PARTITIONED):
                instance.delete_run(run.run_id)
                forgotten += 1
        kept = [run.run_id for run in found if any(tag in run.tags for tag in PARTITIONED)]
        if kept:
            cursor = kept[-1]
    return forgotten
