"""Segments of members that the hub itself knows at any moment, and when a schedule over one is due.
Pure.

Who is in one now: `hub.store.segments`. Segments that follow from past behaviour are a mart.
"""

from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

POINTS_DAYS = 30
COUPONS_DAYS = 7
SEGMENTS: dict[str, str] = {
    "points_at_risk": f"open points that end within {POINTS_DAYS} days; `count` is their number",
    "coupons_at_risk": f"unused coupons that end within {COUPONS_DAYS} days; `count` as well",
}
"""Segment -> who is in it."""
Every = Literal["hour", "day", "week"]
_PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


def last_due(every: Every, at: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The newest moment at or before `now` at which a schedule is due.

    at: HH:MM in the zone; of an hourly one only the minutes count, a weekly one is due on Mondays.
    """
    hour, minute = int(at[:2]), int(at[3:])
    local = now.astimezone(zone).replace(tzinfo=None)
    due = local.replace(minute=minute, second=0, microsecond=0)
    if every != "hour":
        due = due.replace(hour=hour)
    if every == "week":
        due -= timedelta(days=due.weekday())
    if due > local:
        due -= _PERIODS[every]
    return due.replace(tzinfo=zone)
