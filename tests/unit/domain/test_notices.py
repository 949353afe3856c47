"""When somebody may be told something: hours, caps, and what a policy may say."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import notices
from hub.domain.documents import BadDocument
from hub.domain.notices import Policy, Quiet

HERE = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 3, 1, tzinfo=HERE)


def at(hour: int, minute: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(20, 59), None),
        (at(21), at(32)),
        (at(23, 59), at(32)),
        (at(0), at(8)),
        (at(7, 59), at(8)),
        (at(8), None),
    ],
)
def test_nobody_is_told_between_nine_in_the_evening_and_eight(
    now: datetime, until: datetime | None
) -> None:
    assert Policy().quiet_until(now) == until


def test_quiet_hours_within_a_day_end_the_same_day() -> None:
    lunch = Policy(Quiet("12:00", "14:00"))
    assert lunch.quiet_until(at(13)) == at(14)
    assert lunch.quiet_until(at(14)) is None
    assert lunch.quiet_until(at(11, 59)) is None


@given(
    st.times().map(lambda one: one.strftime("%H:%M")),
    st.times().map(lambda one: one.strftime("%H:%M")),
    st.integers(0, 24 * 60 - 1),
)
def test_what_waits_for_the_end_of_quiet_hours_may_be_told_then(
    since: str, until: str, minute: int
) -> None:
    policy, now = Policy(Quiet(since, until)), at(0, minute)
    later = policy.quiet_until(now)
    if later is not None:
        assert now < later <= now + timedelta(days=1)
        assert policy.quiet_until(later) is None


def test_without_quiet_hours_there_is_no_wait() -> None:
    assert notices.read({"quiet": None}).quiet_until(at(3)) is None


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"quiet": {"since": "24:00", "until": "08:00"}}, "$.quiet.since"),
        ({"quiet": {"since": "21:00"}}, "$.quiet"),
        ({"caps": [{"purpose": "marketing", "max": 0, "days": 7}]}, "$.caps[0].max"),
        ({"caps": [{"purpose": "x", "max": 1, "days": 7}] * 2}, "$.caps[1].purpose"),
        ({"free": "service"}, "$.free"),
        ({"calls": []}, "$"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_by_its_field(
    document: dict[str, object], field: str
) -> None:
    with pytest.raises(BadDocument) as bad:
        notices.read(document)
    assert bad.value.field == field
