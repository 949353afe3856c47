"""Who is in a segment now. Which segments there are: `hub.domain.segments`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from hub.domain import segments
from hub.domain.envelope import APPLIED
from hub.domain.ids import Key
from hub.store.db import Connection, queries
from hub.store.records import Work

_DAYS = {"points_at_risk": segments.POINTS_DAYS, "coupons_at_risk": segments.COUPONS_DAYS}

MEMBERS_MAX = 1_000_000
"""Accounts that are found at most."""


class InSegment(Struct, frozen=True):
    """An account of a member who is in a segment: how much of what, and when the first ends."""

    profile_id: Key
    channel: str
    account: str
    count: int
    next_at: datetime


async def members(
    connection: Connection,
    segment: str,
    at: datetime,
    channels: Sequence[str] = (),
    limit: int = MEMBERS_MAX,
) -> list[InSegment]:
    """The accounts of its members, in these channels if any are named; not of who was erased. A
    member's count is over all channels."""
    until = at + timedelta(days=_DAYS[segment])
    rows = await connection.fetch(queries("segments")[segment], at, until, list(channels), limit)
    return [InSegment(**row) for row in rows]


def apply(work: Work) -> None:
    """That somebody was found changes nothing: rules run on it."""
    for event in work.of("segment"):
        work.verdicts[event.key] = APPLIED
