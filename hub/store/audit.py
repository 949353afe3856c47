"""Who did and saw what: an append-only chain of rows, each with the digest of the one before.

Names of objects and fields, never a value of a person: so an erasure has nothing to do here. The
chain is verified by `hub.store.check`; what is worth a row, its callers know.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.store.db import Connection, queries

PAGE_MAX = 500


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did.

    actor: `key:PREFIX`, `person:ID` or `cli:ACCOUNT`; action: `noun.verb`, as `personal.revealed`;
    object: its path, as `members/ID`; detail: what else is worth knowing, small and impersonal.
    """

    actor: str
    action: str
    object: str
    channel: str | None = None
    request_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A deed with its place in the chain."""

    seq: int
    at: datetime
    deed: Deed


async def record(connection: Connection, deed: Deed) -> int:
    """Add a deed to the chain; its place. All writers wait for one row until the caller's
    transaction ends: in a transaction that does more, record last."""
    seq = await connection.fetchval(
        queries("audit")["record"],
        deed.actor,
        deed.action,
        deed.object,
        deed.channel,
        deed.request_id,
        dict(deed.detail),
    )
    return int(seq or 0)


async def page(
    connection: Connection, before: int | None = None, limit: int = 50, text: str | None = None
) -> list[Entry]:
    """The newest entries below this place; text: only of this actor, or about this object."""
    rows = await connection.fetch(queries("audit")["page"], before, min(limit, PAGE_MAX), text)
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    names = ("actor", "action", "object", "channel", "request_id", "detail")
    return Entry(row["seq"], row["at"], Deed(**{name: row[name] for name in names}))
