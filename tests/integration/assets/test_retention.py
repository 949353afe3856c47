from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from hub_assets.retention import forget_runs

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters

DAYS = dg.DailyPartitionsDefinition("2026-03-01")


@dg.asset
def mart() -> None:
    """Built often."""


@dg.asset(partitions_def=DAYS)
def closed() -> None:
    """Once a day."""


def test_runs_older_than_the_setting_are_forgotten_and_closed_days_are_not(
    instance: dg.DagsterInstance,
) -> None:
    old = [dg.materialize([mart], instance=instance).run_id for _ in range(3)]
    dg.materialize([closed], instance=instance, partition_key="2026-03-01")
    since = datetime.now(UTC)
    new = dg.materialize([mart], instance=instance).run_id
    assert forget_runs(instance, since) == len(old)
    assert forget_runs(instance, since) == 0
    assert all(instance.get_run_by_id(run) is None for run in old)
    assert instance.get_run_by_id(new) is not None
    assert instance.get_materialized_partitions(closed.key) == {"2026-03-01"}


def test_more_runs_than_one_look_finds_are_all_forgotten(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_assets.retention.BATCH", 2)
    for day in range(1, 4):
        dg.materialize([mart], instance=instance)
        dg.materialize([closed], instance=instance, partition_key=f"2026-03-0{day}")
    assert forget_runs(instance, datetime.now(UTC) + timedelta(days=1)) == 3
    assert len(instance.get_materialized_partitions(closed.key)) == 3
