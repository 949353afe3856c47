"""The linger: none when much comes, and never longer than it must be."""

import pytest

from streams.transport.pace import FULL_ENOUGH_RECORDS, Pace


def test_the_first_records_after_idling_are_not_held_back() -> None:
    assert Pace(0.007).hold_s(now=100.0, records=1) == 0.0


def test_fetches_follow_each_other_by_the_linger() -> None:
    pace = Pace(0.007)
    pace.hold_s(now=100.0, records=1)
    assert pace.hold_s(now=100.002, records=1) == pytest.approx(0.005)
    assert pace.hold_s(now=100.009, records=1) == pytest.approx(0.005)


def test_a_full_fetch_is_followed_at_once() -> None:
    pace = Pace(0.007)
    pace.hold_s(now=100.0, records=1)
    assert pace.hold_s(now=100.001, records=FULL_ENOUGH_RECORDS) == 0.0
    assert pace.hold_s(now=100.002, records=FULL_ENOUGH_RECORDS - 1) == pytest.approx(0.006)


def test_a_slow_cycle_is_not_made_slower() -> None:
    pace = Pace(0.007)
    pace.hold_s(now=100.0, records=1)
    assert pace.hold_s(now=100.008, records=1) == 0.0


def test_no_linger_never_holds_back() -> None:
    pace = Pace(0.0)
    assert [pace.hold_s(now=100.0, records=1) for _ in range(3)] == [0.0, 0.0, 0.0]
