"""Volumes as the stream workers note them, by business day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg

from hub.settings import Settings
from hub_assets import volumes
from hub_assets.defs.volumes.checks import volumes_are_like_their_past
from hub_assets.volumes import Volume

ZONE = ZoneInfo("Asia/Shanghai")


def write(hub: Settings, at: datetime, events: int, duplicates: int = 0) -> None:
    with psycopg.connect(hub.dsn("writer")) as connection:
        connection.execute(
            "insert into log.writes (written_at, worker, topic, events, applied, ignored, parked,"
            " dead_letters, duplicates, duration_ms)"
            " values (%s, 'w', 'orders', %s, 0, 0, 0, 0, %s, 1)",
            [at, events, duplicates],
        )


def test_a_day_is_the_business_zones_and_repetitions_do_not_count(hub: Settings) -> None:
    day = date(2026, 3, 1)
    write(hub, datetime(2026, 3, 1, 0, 30, tzinfo=ZONE), 500, duplicates=100)
    write(hub, datetime(2026, 3, 1, 23, 59, tzinfo=ZONE), 50)
    write(hub, datetime(2026, 3, 2, 0, 0, tzinfo=ZONE), 7)
    for days in (1, 2, 3):
        write(hub, datetime(2026, 3, 1, 12, tzinfo=ZONE) - timedelta(days=days), 2000)
    with psycopg.connect(hub.dsn("dbt")) as connection:
        (volume,) = volumes.measure(connection, day, "Asia/Shanghai")
    assert volume == Volume("orders", 450, 2000)
    assert volume.is_odd


def test_a_quiet_yesterday_is_a_warning(hub: Settings) -> None:
    noon = datetime.now(ZONE).replace(hour=12) - timedelta(days=1)
    for days in (1, 2, 3):
        write(hub, noon - timedelta(days=days), 2000)
    result = volumes_are_like_their_past()
    assert not result.passed  # type: ignore[union-attr]
    assert result.severity.value == "WARN"  # type: ignore[union-attr]
