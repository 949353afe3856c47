"""The log: which events are new, what an entity's events were, and keeping the new ones.

Duplicates are known by identity and content; the same identity with other content is an alarm.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from hub.domain import ids
from hub.domain.envelope import EVENTS_MAX, BadEvent, Event, Outcome
from hub.domain.ids import Key
from hub.store.db import Connection, Rows, queries
from hub.store.erasure import erased_at, without_person
from hub.store.records import Record, Work, reread
from hub.store.sealing import Vault, ensure_keys, load_keys, seal, unseal

# When these were received is when the transaction began, which Postgres fills in.
_EVENTS = Rows(
    "log.events",
    key=("entity_key", "log_id", "received_at"),
    columns={
        "log_id": "bigint",
        "entity_kind": "text",
        "entity_key": "uuid",
        "event_key": "uuid",
        "source": "text",
        "event_id": "text",
        "type": "text",
        "occurred_at": "timestamptz",
        "sequence": "bigint",
        "topic": "text",
        "partition": "int",
        "kafka_offset": "bigint",
        "produced_at": "timestamptz",
        "kafka_key": "bytea",
        "headers": "jsonb",
        "body": "bytea",
        "sealed_by": "uuid",
    },
)
_INBOX = Rows(
    "log.inbox",
    key=("event_key",),
    columns={
        "event_key": "uuid",
        "entity_key": "uuid",
        "log_id": "bigint",
        "payload_hash": "uuid",
        "outcome": "text",
        "reason": "text",
        "waits_for": "text",
        "is_announced": "boolean",
    },
)
_PARKED = Rows(
    "parked",
    key=("event_key",),
    columns={
        "event_key": "uuid",
        "entity_kind": "text",
        "entity_key": "uuid",
        "received_at": "timestamptz",
        "waits_for": "text",
    },
)
_OUTBOX = Rows(
    "outbox",
    key=("outbox_id",),
    columns={
        "event_key": "uuid",
        "type": "text",
        "entity_kind": "text",
        "entity_key": "uuid",
        "occurred_at": "timestamptz",
        "log_id": "bigint",
    },
)
WRITES_LOCK = int.from_bytes(ids.derived("writes")[:8], signed=True)
"""Shared by all writes, but for those that run alone: they change what orders take of stock, or who
is a member."""
REUSED_ID = "the same source and id came before with other content"


async def screen(
    connection: Connection, vault: Vault, records: Sequence[Record]
) -> tuple[list[tuple[Record, Key]], int]:
    """Split off repetitions: (new records with their content hash, number of duplicates).

    A record whose identity is known with other content gets `bad` set.
    """
    hashed = [
        (record, ids.content_hash(vault.content_key, record.body or b""))
        for record in records
        if record.event is not None
    ]
    keys = [record.event.key for record, _ in hashed if record.event is not None]
    rows = await connection.fetch(queries("log")["known"], keys)
    known: dict[Key, Key] = {row["event_key"]: row["payload_hash"] for row in rows}
    places = {row["event_key"]: row for row in rows}
    fresh: list[tuple[Record, Key]] = []
    first_of: dict[Key, Record] = {}
    duplicates = 0
    for record, content in hashed:
        assert record.event is not None
        key = record.event.key
        if key not in known:
            known[key] = content
            first_of[key] = record
            fresh.append((record, content))
            continue
        first = first_of[key].body if key in first_of else None
        if known[key] != content:
            if first is None:
                first = await _kept_body(connection, vault, places[key])
            if not _says_the_same(first or b"", record.body or b""):
                record.bad = BadEvent("id_reused", REUSED_ID, "$.id")
                continue
        duplicates += 1
    return fresh, duplicates


async def _kept_body(connection: Connection, vault: Vault, at: Any) -> bytes | None:
    """The content that came first; at: a row of the query `known`."""
    rows = await connection.fetch(
        queries("log")["bodies"],
        [at["entity_key"]],
        [at["log_id"]],
        [at["received_at"]],
    )
    opened = await open_bodies(
        connection, vault, [(r["body"], r["sealed_by"], r["event_key"]) for r in rows]
    )
    return opened[0] if opened else None


def _says_the_same(first: bytes, second: bytes) -> bool:
    """Whether two bodies differ in the order of their fields or in white space alone."""
    try:
        return msgspec.json.decode(first) == msgspec.json.decode(second)
    except (msgspec.MsgspecError, RecursionError):  # unknown fields may nest as deep as they like
        return False


class Stamp(NamedTuple):
    """When a write received its events, their places in the log, whether anything is known beside
    orders of what they take of stock, and the matching policy that was published last, in JSON."""

    received_at: dt.datetime
    log_ids: list[int]
    has_supply: bool
    policy: str | None


async def stamp(connection: Connection, count: int) -> Stamp:
    """What a write of so many events begins with."""
    row = await connection.fetchrow(queries("log")["stamp"], count)
    assert row is not None
    return Stamp(*row)


async def claim(connection: Connection, keys: Iterable[Key], *, is_alone: bool = False) -> None:
    """Hold back other writes of these entities until this one ends.

    is_alone: hold back all, since anything may depend on what this one says.

    An order that does not exist yet has no row to lock: of two writes at once, one with
    its placing and one with its payment, neither would see the other's event. Nor would two
    that bring the same event see it as a repetition.
    """
    locks = sorted(int.from_bytes(key[:8], signed=True) for key in set(keys))
    if locks or is_alone:
        shared = None if is_alone else WRITES_LOCK
        await connection.execute(queries("log")["claim"], [WRITES_LOCK, *locks], shared)


async def try_claim(connection: Connection, key: Key) -> bool:
    """Claim an entity unless another write has it."""
    lock = int.from_bytes(key[:8], signed=True)
    return bool(await connection.fetchval(queries("log")["try_claim"], lock))


async def open_bodies(
    connection: Connection, vault: Vault, bodies: Sequence[tuple[bytes, Key | None, Key]]
) -> list[bytes | None]:
    """Bodies (bytes, sealed by, event key) as they came; None where the person was erased."""
    owners = {owner for _, owner, _ in bodies if owner is not None}
    keys = await load_keys(connection, vault, owners) if owners else {}
    opened: list[bytes | None] = []
    for body, owner, event_key in bodies:
        if owner is None:
            # What was taken from the log when its person was erased left nothing.
            opened.append(body or None)
        else:
            key = keys.get(owner)
            opened.append(unseal(key, body, event_key) if key is not None else None)
    return opened


async def history(
    connection: Connection, vault: Vault, kind: str, since: dict[Key, dt.datetime], before: int
) -> dict[Key, list[Event]]:
    """The first events of entities of a kind that are in the log, before a place in it.

    since: entity -> when its first was received. A profile and its points have the same key.
    """
    past: dict[Key, list[Event]] = {}
    if not since:
        return past
    rows = await connection.fetch(
        queries("log")["history"], list(since), min(since.values()), before, kind, EVENTS_MAX
    )
    bodies = [(row["body"], row["sealed_by"], row["event_key"]) for row in rows]
    for row, body in zip(rows, await open_bodies(connection, vault, bodies), strict=True):
        if body is not None:
            past.setdefault(row["entity_key"], []).append(reread(row["headers"], body))
    return past


async def parked_since(connection: Connection, keys: Iterable[Key]) -> dict[Key, dt.datetime]:
    """When the first parked event of each of these entities was received."""
    rows = await connection.fetch(queries("log")["parked_since"], list(keys))
    return {row["entity_key"]: row["first_received_at"] for row in rows}


async def keep(connection: Connection, vault: Vault, work: Work, hashes: dict[Key, Key]) -> None:
    """Write the new events with their verdicts into log and inbox."""
    await _keep_bodies(connection, vault, work)
    inbox = []
    for taken in work.taken:
        event, verdict = taken.event, work.verdicts[taken.event.key]
        inbox.append(
            (
                event.key,
                event.entity_key,
                taken.log_id,
                hashes[event.key],
                verdict.outcome,
                verdict.reason,
                verdict.waits_for,
                verdict.outcome is Outcome.APPLIED,
            )
        )
    await _INBOX.insert(connection, inbox)


async def _keep_bodies(connection: Connection, vault: Vault, work: Work) -> None:
    owners = {t.event.key: _owner(t.event) for t in work.taken if t.event.is_personal}
    gone = await erased_at(connection, sorted(set(owners.values()))) if owners else {}
    late = {
        t.event.key
        for t in work.taken
        if (at := gone.get(owners.get(t.event.key, b""))) is not None and t.event.occurred_at <= at
    }
    owners = {key: owner for key, owner in owners.items() if key not in late}
    keys = await ensure_keys(connection, vault, owners.values())
    rows = []
    for taken in work.taken:
        event, record = taken.event, taken.record
        assert record is not None
        assert record.body is not None
        owner = owners.get(event.key)
        body = record.body if owner is None else seal(keys[owner], record.body, event.key)
        if event.key in late:
            body = without_person(event.entity_kind, body)
        rows.append(
            (
                taken.log_id,
                event.entity_kind,
                event.entity_key,
                event.key,
                event.source,
                event.id,
                event.type,
                event.occurred_at,
                event.sequence,
                record.topic,
                record.partition,
                record.offset,
                record.produced_at,
                record.key if body else None,
                record.headers_json() if body else None,
                body,
                owner,
            )
        )
    await _EVENTS.insert(connection, rows)


def _owner(event: Event) -> Key:
    """Whose key seals the event: the buyer's profile, or what the event is about."""
    account = getattr(event.data, "account", None)
    return ids.profile_id(event.channel, account) if account is not None else event.entity_key


async def park(connection: Connection, work: Work) -> None:
    """Keep which events wait for what; let go of those that wait no longer."""
    freed = [key for key, (_, _, now) in work.revised.items() if now.outcome is not Outcome.PARKED]
    if freed:
        await connection.execute(queries("log")["unpark"], freed)
    waiting = [
        (t.event.key, t.event.entity_kind, t.event.entity_key, work.received_at, verdict.waits_for)
        for t in work.taken
        if (verdict := work.verdicts[t.event.key]).outcome is Outcome.PARKED
    ]
    await _PARKED.insert(connection, waiting)
    again = {
        key: (event, now)
        for key, (event, _, now) in work.revised.items()
        if now.outcome is Outcome.PARKED
    }
    if again:
        await connection.execute(
            queries("log")["park_again"],
            list(again),
            [event.entity_kind for event, _ in again.values()],
            [now.waits_for for _, now in again.values()],
        )


async def revise(connection: Connection, work: Work) -> None:
    """Write the changed verdicts of earlier events into the inbox, once they are announced."""
    if work.revised:
        verdicts = [now for _, _, now in work.revised.values()]
        await connection.execute(
            queries("log")["revise"],
            list(work.revised),
            [str(v.outcome) for v in verdicts],
            [v.reason for v in verdicts],
            [v.waits_for for v in verdicts],
        )


async def announce(connection: Connection, work: Work) -> None:
    """One outbox row for each event that is applied now and never was before."""
    rows = [
        (e.key, e.type, e.entity_kind, e.entity_key, e.occurred_at, t.log_id)
        for t in work.taken
        if work.verdicts[(e := t.event).key].outcome is Outcome.APPLIED
    ]
    await _OUTBOX.insert(connection, rows)
    freed = [
        key
        for key, (_, before, now) in work.revised.items()
        if now.outcome is Outcome.APPLIED and before.outcome is not Outcome.APPLIED
    ]
    if freed:
        await connection.execute(queries("outbox")["announce_again"], freed)
