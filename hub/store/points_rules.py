"""The rule of points in Postgres: the versions that were published, after those the hub comes with.

A write decides by the versions there are when it reads them. Publishing waits for the writes that
have read, and holds back the next until it is done, so whatever it concerns is judged anew by it.
What a version says: `hub.domain.earning`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.domain import earning
from hub.domain.earning import Scheme
from hub.domain.envelope import Event
from hub.domain.ids import Key
from hub.domain.order_data import OrderName
from hub.store.db import Connection, queries
from hub.store.records import Work


class Judged(Struct, frozen=True):
    """By which versions a write begins and ends, and the event that made the difference."""

    before: Scheme
    now: Scheme
    cause: Event | None = None


def published_in(work: Work) -> list[Event]:
    """The versions that this write publishes."""
    return [event for event in work.of("config") if _is_rule(event)]


def _is_rule(event: Event) -> bool:
    return (event.data.kind, event.data.name) == (earning.KIND, earning.NAME)


async def fence(connection: Connection) -> None:
    """Wait for all writes that have read the versions, and hold back those that will."""
    await connection.execute(queries("points_rules")["fence"])


async def load(connection: Connection) -> Scheme:
    """All versions there are now."""
    return _scheme(await _rows(connection))


async def judged(connection: Connection, work: Work) -> Judged:
    """The versions before this write and with it."""
    rows = await _rows(connection)
    new = {event.key: event for event in published_in(work)}
    if not new:
        scheme = _scheme(rows)
        return Judged(scheme, scheme)
    before = [row for row in rows if row["event_key"] not in new]
    return Judged(_scheme(before), _scheme(rows), list(new.values())[-1])


async def orders_since(connection: Connection, work: Work) -> list[OrderName]:
    """Orders that have earned beyond the beginning of a version that this write publishes: clocks
    of channels run ahead."""
    if not (starts := _starts(work)):
        return []
    rows = await connection.fetch(queries("points_rules")["orders_since"], min(starts))
    return [OrderName(row["channel"], row["shop"], row["order_number"]) for row in rows]


async def accounts_since(connection: Connection, work: Work) -> list[Key]:
    """Accounts to which points may have come back beyond the beginning of such a version."""
    if not (starts := _starts(work)):
        return []
    rows = await connection.fetch(queries("points_rules")["accounts_since"], min(starts))
    return [row["profile_id"] for row in rows]


def _starts(work: Work) -> list[datetime]:
    return [event.data.valid_from or event.occurred_at for event in published_in(work)]


async def _rows(connection: Connection) -> list[Any]:
    named = (earning.KIND, earning.NAME)
    return list(await connection.fetch(queries("points_rules")["versions"], *named))


def _scheme(rows: Sequence[Any]) -> Scheme:
    return earning.SCHEME.followed_by(
        [
            earning.published(number, reason, valid_from, earning.read_rates(document))
            for number, (_, document, reason, valid_from) in enumerate(rows, start=1)
        ]
    )
