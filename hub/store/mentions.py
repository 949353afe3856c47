"""Persons whom events of no account name: a guest's order with a phone, a coupon for a friend.

Such an event belongs to nobody whose erasure would find it, so the log keeps beside it who is
named, by digest. Who proved a phone to be theirs and is erased is taken out of what named it
until then, and of what names it and comes later.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from hub.domain import telling
from hub.domain.envelope import Event
from hub.domain.identifiers import normalise
from hub.domain.ids import Key
from hub.domain.members import ProfileData
from hub.store import log
from hub.store.db import Connection, Rows, queries
from hub.store.erasure import without_person
from hub.store.records import Taken, Work, reread
from hub.store.sealing import Vault

_MENTIONS = Rows(
    "log.mentions",
    key=("value_hmac", "event_key"),
    columns={
        "value_hmac": "uuid",
        "entity_kind": "text",
        "entity_key": "uuid",
        "event_key": "uuid",
        "log_id": "bigint",
        "occurred_at": "timestamptz",
    },
)
NAMING_KINDS = ("order", "coupon")
_CONTACTS = ("phone", "email")


def proved(events: Iterable[Event], until: datetime) -> set[tuple[str, str]]:
    """The contacts (type, value) that a profile's events had proved up to a time."""
    return {
        (claim.type, claim.value)
        for event in events
        if event.occurred_at <= until and isinstance(event.data, ProfileData)
        for claim in event.data.claims
        if claim.proof == "verified" and claim.type in _CONTACTS
    }


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Take those who are erased now out of what named them, and out of the new events; note whom
    the others name. In a replay there is nothing to do: the log forgot already."""
    naming = [t for t in work.taken if _may_name(t)]
    if not (naming or work.forgotten):
        return
    named = {t.event.key: [vault.value_hmac(*one) for one in _contacts(t)] for t in naming}
    forgotten = {vault.value_hmac(*one): at for one, at in work.forgotten.items()}
    values = {value for found in named.values() for value in found} | forgotten.keys()
    if not values:
        return
    await log.claim(connection, values)
    if forgotten:
        await _forget(connection, vault, work, forgotten)
    rows = await connection.fetch(queries("mentions")["forgotten"], list(values))
    until = {row["value_hmac"]: row["erased_at"] for row in rows}
    for taken in naming:
        event, found = taken.event, named[taken.event.key]
        if any(value in until and event.occurred_at <= until[value] for value in found):
            _redact(taken)
        else:
            work.mentions += [
                (value, event.entity_kind, event.entity_key, event.key, taken.log_id,
                 event.occurred_at) for value in found
            ]  # fmt: skip


async def keep(connection: Connection, work: Work) -> None:
    """Write whom the new events name."""
    if work.mentions:
        await _MENTIONS.insert_new(connection, work.mentions)


def _may_name(taken: Taken) -> bool:
    event = taken.event
    return (
        event.is_personal
        and event.entity_kind in NAMING_KINDS
        and getattr(event.data, "account", None) is None
        and taken.record is not None
    )


def _contacts(taken: Taken) -> Iterator[tuple[str, str]]:
    """The contacts (type, value) that an event names, in their one spelling."""
    assert taken.record is not None
    data = telling.data_of(msgspec.json.decode(taken.record.body or b"{}"))
    recipient = data.get("recipient") or {}
    for kind in _CONTACTS:
        for value in {data.get(f"recipient_{kind}"), recipient.get(kind)} - {None}:
            if (spelled := normalise(kind, value)) is not None:
                yield kind, spelled


def _redact(taken: Taken) -> None:
    """Leave the person out of a new event, as if it had been told so."""
    event, record = taken.event, taken.record
    assert record is not None
    assert record.body is not None
    record.body = without_person(event.entity_kind, record.body)
    taken.event = reread(record.headers_json(), record.body)


async def _forget(
    connection: Connection, vault: Vault, work: Work, forgotten: dict[Key, datetime]
) -> None:
    """Take these values out of the log's events that named them until then."""
    sql = queries("mentions")
    values, times = list(forgotten), list(forgotten.values())
    await connection.execute(sql["keep_forgotten"], values, times)
    rows = await connection.fetch(sql["take"], values, times)
    opened = await log.open_bodies(
        connection, vault, [(row["body"], row["sealed_by"], row["event_key"]) for row in rows]
    )
    found = [(row, body) for row, body in zip(rows, opened, strict=True) if body is not None]
    await connection.execute(
        queries("erasure")["rewrite"],
        [row["entity_key"] for row, _ in found],
        [row["log_id"] for row, _ in found],
        [row["received_at"] for row, _ in found],
        [without_person(row["entity_kind"], body) for row, body in found],
        [None] * len(found),
    )
    owners = {row["sealed_by"] for row, _ in found if row["sealed_by"] is not None}
    await connection.execute(sql["drop_keys"], list(owners))
    work.unnamed |= {row["entity_key"] for row, _ in found if row["entity_kind"] == "coupon"}
    work.redacted += len(found)
