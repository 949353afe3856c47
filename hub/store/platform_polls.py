"""Lists of channels' platforms: up to which time each was read, and who reads on.

The place is a time, and moves once Kafka has what was listed; it can be set back to any time.
Not here: what a list says (`hub.channels.polls`), asking for it (`hub_api.polling`).
"""

import os
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from hub.domain.channels import TAKING
from hub.domain.ids import Key
from hub.store.db import Connection, queries


class Turn(Struct, frozen=True):
    """The right to read one list on. begun_at: by the database's clock, which all share."""

    channel: str
    poll: str
    owner: Key
    read_until: datetime
    begun_at: datetime


class Outcome(Struct, frozen=True):
    """How a turn ended. read_until None: no further than before; again: when to look again."""

    read_until: datetime | None
    again: timedelta
    messages: int = 0
    error: str | None = None


async def taking(connection: Connection) -> list[str]:
    """The channels that take what comes."""
    rows = await connection.fetch(queries("platform_polls")["channels"], sorted(TAKING))
    return [row["name"] for row in rows]


async def begin(connection: Connection, channel: str, poll: str, lease: timedelta) -> Turn | None:
    """The turn to read a list; None if it is not due, or somebody else has it."""
    owner = os.urandom(16)
    row = await connection.fetchrow(queries("platform_polls")["begin"], channel, poll, owner, lease)
    return row and Turn(channel, poll, owner, row["read_until"], row["begun_at"])


async def hold(connection: Connection, turn: Turn, lease: timedelta) -> bool:
    """Keep the turn for another while; False if it was lost, or the place was set meanwhile."""
    named = (turn.channel, turn.poll, turn.owner)
    return await connection.fetchval(queries("platform_polls")["hold"], *named, lease) is not None


async def end(connection: Connection, turn: Turn, outcome: Outcome) -> bool:
    """Give the turn back; False if it was lost, and then nothing has moved."""
    moved = await connection.fetchval(
        queries("platform_polls")["end"],
        turn.channel,
        turn.poll,
        turn.owner,
        outcome.read_until,
        outcome.again,
        outcome.messages,
        outcome.error,
    )
    return moved is not None


async def rewind(connection: Connection, channel: str, poll: str, to: datetime) -> None:
    """Have a list read again from a time on. What comes again counts once."""
    await connection.execute(queries("platform_polls")["rewind"], channel, poll, to)


async def listed(connection: Connection, channel: str | None = None) -> list[dict[str, Any]]:
    """How far each list was read, of one channel or of all."""
    rows = await connection.fetch(queries("platform_polls")["listed"], channel)
    return [dict(row) for row in rows]
