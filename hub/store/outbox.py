"""Facts for those who follow the hub: each applied event once, in an order that loses none.

A reader has a name and a place of its own. It reads the facts after its place, does what it does
with them, and moves its place: in the transaction of its work where that is in Postgres (then each
fact counts once), after it where it is elsewhere (then it may see some again after a crash).

    await register(connection, "rules")             # once; again changes nothing
    async with connection.transaction():
        batch = await read(connection, vault, "rules", limit=100)
        ...                                         # work on batch.facts
        await advance(connection, batch)

Facts of one entity come in the order in which they were applied. A reader with nothing to read asks
again after POLL_S. Not here: writing facts (`hub.store.log`), what readers do with them.
"""

from collections.abc import Collection
from datetime import datetime
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct

from hub.domain import ids, telling
from hub.domain.decisions import HOPS, HOPS_KNOWN_MAX
from hub.domain.envelope import Event
from hub.domain.events import retold
from hub.domain.ids import Key
from hub.errors import HubError
from hub.store.db import Connection, queries
from hub.store.erasure import without_person
from hub.store.log import open_bodies
from hub.store.records import reread
from hub.store.sealing import Vault

POLL_S = 0.02
"""Between two looks of a reader with nothing to read: what it adds to a fact's way at most."""
FACTS_MAX = 1000
Position = tuple[int, int]
"""(transaction, outbox id): the order of facts."""


class NoSuchReader(HubError):
    """Nobody registered this reader of the outbox."""


class ReaderMoved(HubError):
    """Another process moved this reader's place meanwhile: what was read is not its to do."""


class Fact(Struct, frozen=True, gc=False):
    """One applied event, or decision of the hub.

    event_id: the event's own, unique with `source`; event_key: both as one, the same each time the
    fact is read; channel, shop, subject, data, traceparent: None if the person it was about was
    erased. data: the payload as it came, without what is personal unless the reader may see that;
    what was personal altogether is None then. hops: how many effects of rules led to it.
    """

    position: Position
    event_key: Key
    event_id: str
    type: str
    source: str
    entity_kind: str
    entity_key: Key
    occurred_at: datetime
    received_at: datetime
    channel: str | None = None
    shop: str | None = None
    subject: str | None = None
    traceparent: str | None = None
    data: dict[str, Any] | None = None
    hops: int = 0


class Batch(Struct, frozen=True, gc=False):
    """The facts after a reader's place. until: the place behind all that were looked at."""

    reader: str
    after: Position
    facts: list[Fact]
    until: Position | None = None


class Told(Struct, frozen=True, gc=False):
    """A fact as others are told it: `said` is its CloudEvent, without what is personal; of a
    person, and of who was erased, only that it happened, without `data`."""

    position: Position
    event_key: Key
    type: str
    source: str
    channel: str | None
    entity_kind: str
    entity_key: Key
    said: dict[str, Any]


class ToldBatch(Struct, frozen=True, gc=False):
    """The facts after a reader's place, as others are told them."""

    reader: str
    after: Position
    facts: list[Told]
    until: Position | None = None


async def register(connection: Connection, reader: str, *, is_from_now: bool = False) -> None:
    """Give a reader a place unless it has one: before the first fact, or (is_from_now) before the
    first of which it is not certain that it is over already."""
    await connection.execute(queries("outbox")["register"], reader, is_from_now)


async def read(
    connection: Connection,
    vault: Vault,
    reader: str,
    limit: int = FACTS_MAX,
    *,
    sees_personal: bool = False,
) -> Batch:
    """The next facts after the reader's place, at most `limit`; its place stays where it is.

    Raises `NoSuchReader`.
    """
    after = await place_of(connection, reader)
    rows, until = await _page(connection, after, limit)
    return Batch(reader, after, await _opened(connection, vault, rows, sees_personal), until)


async def read_told(
    connection: Connection, vault: Vault, reader: str, limit: int = FACTS_MAX
) -> ToldBatch:
    """The same, as others are told them: nothing is decoded but the envelope."""
    after = await place_of(connection, reader)
    told, until = await told_after(connection, vault, after, limit)
    return ToldBatch(reader, after, told, until)


async def told_after(
    connection: Connection,
    vault: Vault,
    after: Position,
    limit: int = FACTS_MAX,
    types: Collection[str] | None = None,
) -> tuple[list[Told], Position | None]:
    """The facts behind a place as others are told them, and the place behind all of them; types:
    of those alone, the others are passed over."""
    rows, until = await _page(connection, after, limit, types)
    return await _told(connection, vault, rows), until


async def told_at(connection: Connection, vault: Vault, positions: list[Position]) -> list[Told]:
    """The facts at these places as others are told them, in their order."""
    xids = [xid for xid, _ in positions]
    rows = await connection.fetch(queries("outbox")["at"], xids, [one for _, one in positions])
    return await _told(connection, vault, rows)


async def place_of(connection: Connection, reader: str) -> Position:
    """Where a reader is. Raises `NoSuchReader`."""
    place = await connection.fetchrow(queries("outbox")["position"], reader)
    if place is None:
        raise NoSuchReader(reader, mend="register it first")
    return place["xid"], place["outbox_id"]


async def end_of(connection: Connection) -> Position:
    """The place before the first fact of which it is not certain that it is over already."""
    xid = await connection.fetchval(queries("outbox")["end_of"])
    return int(xid or 0), 0


async def read_types(
    connection: Connection,
    vault: Vault,
    reader: str,
    types: Collection[str] | None,
    after: Position | None = None,
) -> Batch:
    """The same for a reader that cares for some types only, None for all; others are passed over.
    It sees what is personal. after: where it will be, if that is not where it is by now."""
    after = after or await place_of(connection, reader)
    rows, until = await _page(connection, after, FACTS_MAX, types)
    return Batch(reader, after, await _opened(connection, vault, rows, True), until)


async def at(
    connection: Connection, vault: Vault, positions: list[Position], *, sees_personal: bool = False
) -> list[Fact]:
    """The facts at these places, in their order."""
    xids = [xid for xid, _ in positions]
    rows = await connection.fetch(queries("outbox")["at"], xids, [one for _, one in positions])
    return await _opened(connection, vault, rows, sees_personal)


async def advance(
    connection: Connection, batch: Batch | ToldBatch, count: int | None = None
) -> None:
    """Move the reader's place behind the batch, or behind its first `count` facts.

    Raises `ReaderMoved`, and then nothing of the caller's transaction may stay.
    """
    until = batch.until
    if count is not None:
        until = batch.facts[count - 1].position if count else None
    if until is None:
        return
    moved = await connection.fetchval(
        queries("outbox")["advance"], batch.reader, *batch.after, *until
    )
    if moved is None:
        raise ReaderMoved(batch.reader)


async def try_hold(connection: Connection, reader: str) -> bool:
    """Become the one process that works for this reader, until the connection closes.

    For readers whose work is not in Postgres: of two at once, one waits.
    """
    lock = int.from_bytes(ids.derived("outbox reader", reader.encode())[:8], signed=True)
    return bool(await connection.fetchval(queries("outbox")["try_hold"], lock))


async def _page(
    connection: Connection, after: Position, limit: int, types: Collection[str] | None = None
) -> tuple[list[Any], Position | None]:
    """Rows of the facts behind a place that are wanted, and the place behind those looked at."""
    wanted = None if types is None else list(types)
    rows = await connection.fetch(queries("outbox")["read"], *after, min(limit, FACTS_MAX), wanted)
    until = (rows[-1]["xid"], rows[-1]["outbox_id"]) if rows else None
    return [row for row in rows if row["event_id"] is not None], until


async def _opened(
    connection: Connection, vault: Vault, rows: list[Any], sees_personal: bool
) -> list[Fact]:
    if not rows:
        return []
    bodies = [(row["body"], row["sealed_by"], row["event_key"]) for row in rows]
    opened = await open_bodies(connection, vault, bodies)
    return [_fact(row, body, sees_personal) for row, body in zip(rows, opened, strict=True)]


async def _told(connection: Connection, vault: Vault, rows: list[Any]) -> list[Told]:
    if not rows:
        return []
    bodies = [(row["body"], row["sealed_by"], row["event_key"]) for row in rows]
    opened = await open_bodies(connection, vault, bodies)
    return [_told_one(row, body) for row, body in zip(rows, opened, strict=True)]


def _told_one(row: Any, body: bytes | None) -> Told:
    if body is not None and row["sealed_by"] is not None:
        body = without_person(row["entity_kind"], body)
    said = telling.cloud_event(row["headers"], body) if body else _bare(row)
    if body and "subject" not in said:
        said["subject"] = reread(row["headers"], body).subject
    position = (row["xid"], row["outbox_id"])
    said |= {
        "entitykind": row["entity_kind"],
        "entityid": ids.text(row["entity_key"]),
        "hubposition": telling.position_text(position),
    }
    return Told(
        position,
        row["event_key"],
        row["type"],
        row["source"],
        telling.channel_of(row["source"], said),
        row["entity_kind"],
        row["entity_key"],
        said,
    )


def _bare(row: Any) -> dict[str, Any]:
    """That it happened, and nothing of the person it was about."""
    return {
        "specversion": "1.0",
        "id": row["event_id"],
        "source": row["source"],
        "type": row["type"],
        "time": row["occurred_at"].isoformat(),
    }


def _fact(row: Any, body: bytes | None, sees_personal: bool) -> Fact:
    headers, position = row["headers"], (row["xid"], row["outbox_id"])
    known: Any = (position, *_columns(row))
    if body is None:
        return Fact(*known)
    is_structured = sees_personal and not telling.is_binary(headers)
    told = retold(row["source"], row["type"], body) if is_structured else None
    if told is not None:
        traceparent, hops = told.traceparent, told.hops
        if not isinstance(traceparent, str):
            traceparent = telling.traceparent_of(headers)
        if headers and (said := _header(headers, f"ce_{HOPS}")) is not None:
            hops = said
        return Fact(
            *known,
            channel=told.channel,
            shop=told.shop,
            subject=told.subject,
            traceparent=traceparent,
            data=told.data,
            hops=_hops(hops),
        )
    event = reread(headers, body)
    shown = body if sees_personal or not event.is_personal else _shown(event, body)
    return Fact(
        *known,
        channel=event.channel,
        shop=event.shop,
        subject=event.subject if shown else None,
        traceparent=_traceparent(headers, body),
        data=_data(shown) if shown else None,
        hops=hops_of(headers, body),
    )


_columns = itemgetter(
    *("event_key", "event_id", "type", "source", "entity_kind", "entity_key"),
    *("occurred_at", "received_at"),
)


def _shown(event: Event, body: bytes) -> bytes:
    return without_person(event.entity_kind, body)


def _data(body: bytes) -> dict[str, Any]:
    return telling.data_of(msgspec.json.decode(body))


def hops_of(headers: list[list[str]] | None, body: bytes) -> int:
    """How many effects of rules led to an event, as its envelope says."""
    said: Any = _header(headers, f"ce_{HOPS}")
    if said is None and _HOPS_SIGN in body:
        said = msgspec.json.decode(body).get(HOPS)
    return _hops(said)


def _header(headers: list[list[str]] | None, wanted: str) -> str | None:
    return next((value for name, value in headers or () if name == wanted), None)


def _hops(said: Any) -> int:
    try:
        return min(max(int(said or 0), 0), HOPS_KNOWN_MAX)
    except (TypeError, ValueError):
        return 0


_HOPS_SIGN = f'"{HOPS}"'.encode()


def _traceparent(headers: list[list[str]] | None, body: bytes) -> str | None:
    """Of the envelope, in whichever mode the event came."""
    if b'"traceparent"' in body:
        said = msgspec.json.decode(body).get("traceparent")
        if isinstance(said, str):
            return said
    return telling.traceparent_of(headers)
