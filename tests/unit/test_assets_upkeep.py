"""Which days a job that closes days still has to do."""

import pytest

from hub_assets.upkeep import DAYS_MAX, missing_days

WEEK = [f"2026-03-0{day}" for day in range(1, 8)]


@pytest.mark.parametrize(
    ("done", "wanted"),
    [
        pytest.param([], ("2026-03-07", "2026-03-07"), id="the first run does yesterday alone"),
        pytest.param(WEEK, None, id="nothing is missing"),
        pytest.param(WEEK[:6], ("2026-03-07", "2026-03-07"), id="one day more"),
        pytest.param(WEEK[:2], ("2026-03-03", "2026-03-07"), id="days off are caught up on"),
        pytest.param(
            [WEEK[1], WEEK[3], WEEK[6]],
            ("2026-03-03", "2026-03-06"),
            id="a day that failed between others is done again",
        ),
    ],
)
def test_days_to_close(done: list[str], wanted: tuple[str, str] | None) -> None:
    assert missing_days(WEEK, done) == wanted


def test_one_run_catches_up_on_a_year_at_most() -> None:
    days = [str(day) for day in range(1000)]
    assert missing_days(days, ["0"]) == (str(1000 - DAYS_MAX), "999")


def test_before_the_first_day_is_over_nothing_is_to_do() -> None:
    assert missing_days([], []) is None
