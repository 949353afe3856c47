"""A day's events against those of days like it."""

from datetime import date, timedelta

import pytest

from hub_assets.volumes import judge

SUNDAY = date(2026, 3, 1)


def weeks(*counts: int) -> dict[date, int]:
    return {SUNDAY - timedelta(weeks=n): count for n, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("today", "is_odd"), [(900, False), (300, False), (299, True), (2700, False), (2701, True)]
)
def test_a_day_far_from_the_same_weekday_is_odd(today: int, is_odd: bool) -> None:
    assert judge("orders", weeks(today, 900, 900, 900), SUNDAY).is_odd is is_odd


def test_a_day_without_any_event_is_odd() -> None:
    past = weeks(0, 900, 900, 900)
    del past[SUNDAY]
    assert judge("orders", past, SUNDAY).is_odd


def test_a_young_hub_is_set_against_its_last_days() -> None:
    days = {SUNDAY - timedelta(days=n): 1000 for n in range(1, 5)}
    assert judge("orders", days | {SUNDAY: 10}, SUNDAY).is_odd
    assert not judge("orders", days | {SUNDAY: 990}, SUNDAY).is_odd


def test_with_too_little_past_nothing_is_said() -> None:
    volume = judge("orders", weeks(1, 900, 900), SUNDAY)
    assert (volume.usual, volume.is_odd) == (None, False)


def test_few_events_are_never_odd() -> None:
    assert not judge("catalog", weeks(0, 20, 20, 20), SUNDAY).is_odd
