"""Dead letters: records that could not be taken, with their bytes and the reason, until redriven.

Bodies are sealed under a key of the dead letters' own, since nobody knows whose data they hold.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from hub.domain import ids
from hub.domain.ids import Key
from hub.errors import HubError
from hub.store.db import Connection, Rows, queries
from hub.store.records import Record
from hub.store.sealing import Vault, ensure_keys, seal, unseal

_LETTERS = Rows(
    "log.dead_letters",
    key=("dead_letter_id",),
    columns={
        "dead_letter_id": "uuid",
        "topic": "text",
        "partition": "int",
        "kafka_offset": "bigint",
        "kafka_key": "bytea",
        "headers": "jsonb",
        "body": "bytea",
        "source": "text",
        "event_id": "text",
        "type": "text",
        "reason_code": "text",
        "reason": "text",
        "field": "text",
    },
)
_OWNER = ids.derived("dead-letters", b"all")
PAGE_MAX = 500


class UnknownDeadLetter(HubError):
    """There is no dead letter with this id."""


async def keep(
    connection: Connection, vault: Vault, records: Sequence[Record], cluster_id: str
) -> None:
    """Keep bad records. One that is kept already, read again, changes nothing."""
    if not records:
        return
    key = (await ensure_keys(connection, vault, [_OWNER]))[_OWNER]
    rows = [_row(record, key, cluster_id) for record in records]
    await _LETTERS.insert_new(connection, rows)


def _row(record: Record, key: bytes, cluster_id: str) -> tuple[object, ...]:
    bad, event = record.bad, record.event
    assert bad is not None
    letter_id = ids.dead_letter_id(record.topic, record.partition, record.offset, cluster_id)
    return (
        letter_id,
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.headers_json(),
        seal(key, record.body, letter_id) if record.body else record.body,
        event.source if event is not None else None,
        event.id if event is not None else None,
        event.type if event is not None else None,
        bad.code,
        bad.reason.replace("\0", "\\0"),
        bad.field.replace("\0", "\\0") if bad.field is not None else None,
    )


async def page(
    connection: Connection,
    state: str = "open",
    limit: int = 50,
    after: tuple[object, ...] | None = None,
) -> list[dict[str, Any]]:
    """The oldest dead letters in a state, without their bodies; after: (received_at, id)."""
    at = (state, min(limit, PAGE_MAX), *(after or (None, None)))
    return [_shown(row) for row in await connection.fetch(queries("dead_letters")["page"], *at)]


async def show(connection: Connection, vault: Vault, letter_id: Key) -> dict[str, Any]:
    """One dead letter with its original bytes (`body`)."""
    row = await connection.fetchrow(queries("dead_letters")["show"], letter_id)
    if row is None:
        raise UnknownDeadLetter(where=ids.text(letter_id), mend="see 'hub dead-letters list'")
    return _shown(row) | {"body": await _body(connection, vault, row)}


async def redrive(
    connection: Connection,
    vault: Vault,
    letter_ids: Sequence[Key],
    send: Callable[[str, bytes | None, bytes | None, list[tuple[str, bytes]]], Awaitable[None]],
    by: str,
) -> int:
    """Send dead letters to their topics again, as they came; how many were sent.

    send: (topic, key, body, headers), returns when Kafka has it. A letter is marked after it was
    sent, so a crash between the two sends it twice, which the inbox makes harmless.
    """
    sent = 0
    for letter_id in letter_ids:
        row = await connection.fetchrow(queries("dead_letters")["show"], letter_id)
        if row is None or row["state"] != "open":
            continue
        headers = [(name, value.encode()) for name, value in row["headers"] or []]
        await send(row["topic"], row["kafka_key"], await _body(connection, vault, row), headers)
        await connection.execute(queries("dead_letters")["mark_redriven"], letter_id, by)
        sent += 1
    return sent


async def forget(connection: Connection, vault: Vault, signs: Sequence[tuple[str, ...]]) -> int:
    """Empty the bodies of dead letters that hold all texts of one of these signs; how many.

    Nobody knows whose data a record is that could not be read, so all of them are looked through.
    """
    rows = await connection.fetch(queries("dead_letters")["bodies"])
    if not rows:
        return 0
    key = (await ensure_keys(connection, vault, [_OWNER]))[_OWNER]
    found = []
    for row in rows:
        body = unseal(key, row["body"], row["dead_letter_id"])
        if any(all(_stands_in(body, text) for text in sign) for sign in signs):
            found.append(row["dead_letter_id"])
    await connection.execute(queries("dead_letters")["empty"], found)
    return len(found)


def _stands_in(body: bytes, text: str) -> bool:
    """Whether a JSON string of the body begins with this text, with or without escapes."""
    return any(json.dumps(text, ensure_ascii=e)[:-1].encode() in body for e in (True, False))


async def _body(connection: Connection, vault: Vault, row: Any) -> bytes | None:
    if not row["body"]:
        return row["body"]
    key = (await ensure_keys(connection, vault, [_OWNER]))[_OWNER]
    return unseal(key, row["body"], row["dead_letter_id"])


def _shown(row: Any) -> dict[str, Any]:
    return dict(row) | {"dead_letter_id": ids.text(row["dead_letter_id"])}
