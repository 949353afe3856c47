"""When a schedule over a segment is due."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.segments import Every, last_due

pytestmark = pytest.mark.unit
SHANGHAI = ZoneInfo("Asia/Shanghai")
PERIODS: dict[Every, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
_MOMENTS = st.integers(1_704_000_000, 1_800_000_000).map(
    lambda second: datetime.fromtimestamp(second, SHANGHAI)
)


@pytest.mark.parametrize(
    ("every", "now", "due"),
    [
        ("day", "2026-05-20T10:00", "2026-05-20T10:00"),
        ("day", "2026-05-20T09:59", "2026-05-19T10:00"),
        ("hour", "2026-05-20T09:59", "2026-05-20T09:00"),
        ("week", "2026-05-20T09:59", "2026-05-18T10:00"),
        ("week", "2026-05-18T09:59", "2026-05-11T10:00"),
    ],
)
def test_a_schedule_is_due_at_its_time_in_the_business_zone(
    every: Every, now: str, due: str
) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=SHANGHAI)
    expected = datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)
    assert last_due(every, "10:00", at.astimezone(ZoneInfo("UTC")), SHANGHAI) == expected


@given(
    every=st.sampled_from(list(PERIODS)),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    now=_MOMENTS,
)
def test_the_last_time_is_past_and_less_than_a_period_ago(
    every: Every, hour: int, minute: int, now: datetime
) -> None:
    due = last_due(every, f"{hour:02}:{minute:02}", now, SHANGHAI)
    assert due <= now < due + PERIODS[every]
    assert due.minute == minute
    assert every == "hour" or due.hour == hour
