"""Whether a day brought about as many events as its past: the same weekday, or the last days.

Not here: when it is looked at (`defs/volumes`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

import psycopg

WEEKS = 4
DAYS_MIN = 3
"""With less past nothing is said."""
FACTOR = 3
"""So many times more or less than usual is odd: weekends and campaigns stay within."""
USUAL_MIN = 100
"""Below that a day's number says nothing."""
_COUNTS = """
    select topic, (written_at at time zone %(zone)s)::date, sum(events - duplicates)::bigint
    from log.writes
    where
        written_at >= (%(first)s::date)::timestamp at time zone %(zone)s
        and written_at < (%(day)s::date + 1)::timestamp at time zone %(zone)s
    group by 1, 2
"""


@dataclass(frozen=True)
class Volume:
    """A topic's day. usual: events of such a day; None with too little past."""

    topic: str
    events: int
    usual: int | None

    @property
    def is_odd(self) -> bool:
        """Whether it is far from usual."""
        if self.usual is None or self.usual < USUAL_MIN:
            return False
        return not self.usual <= self.events * FACTOR <= self.usual * FACTOR * FACTOR


def measure(connection: psycopg.Connection, day: date, zone: str) -> list[Volume]:
    """All topics that ever had events in the last weeks. zone: of business days."""
    first = day - timedelta(weeks=WEEKS)
    counts: dict[str, dict[date, int]] = {}
    for topic, on, events in connection.execute(
        _COUNTS, {"zone": zone, "first": first, "day": day}
    ):
        counts.setdefault(topic, {})[on] = events
    return [judge(topic, counts[topic], day) for topic in sorted(counts)]


def judge(topic: str, counts: Mapping[date, int], day: date) -> Volume:
    """Set a day against the same weekday of the weeks before, or else against the days before."""
    weeks = [day - timedelta(weeks=n) for n in range(1, WEEKS + 1)]
    alike = [counts[on] for on in weeks if on in counts]
    before = [count for on, count in counts.items() if on < day]
    past = alike if len(alike) >= DAYS_MIN else before
    usual = round(median(past)) if len(past) >= DAYS_MIN else None
    return Volume(topic, counts.get(day, 0), usual)
