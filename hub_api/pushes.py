"""From a platform's verified messages to Kafka, or to the dead letters with the reason.

What has no place in the pack is kept whole: it goes to the topic of raw messages, is listed as a
dead letter, and is taken up again once the pack is mended. Reading pushes: `hub.channels.codec`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.channels import codec, fetching
from hub.channels.codec import Decoded, Message
from hub.channels.expressions import Unmapped
from hub.channels.paths import MISSING
from hub.channels.requests import Given, PushRefused, Request
from hub.domain import events, ids, topics
from hub.domain.envelope import BadEvent, Event
from hub.store import dead_letters
from hub.store.records import Record as Kept
from hub_api import platform_calls
from hub_api.channels import Known
from hub_api.details import DetailAwayError
from hub_api.kafka import Position, Record
from hub_api.limits import DETAIL_RETRY_AFTER_S
from hub_api.problems import Problem
from hub_api.resources import Resources

RAW_TYPE = "channel.inbound"
BY_HAND = "the mended pack"


@dataclass(slots=True)
class Read:
    """What the messages of a push became."""

    records: list[Record] = field(default_factory=list)
    parked: list[tuple[Message, Unmapped]] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)


async def take(held: Resources, known: Known, messages: Sequence[Message]) -> Read:
    """Send all of it to Kafka and keep what is parked. A problem: any number of it may be in, and
    the same push can be sent again."""
    assert known.pack is not None
    read = Read()
    for message in messages:
        _add(read, known.given, message, await _decoded(held, known, message))
    raw = [_raw_record(known.given, message) for message, _ in read.parked]
    positions = await held.send([*read.records, *raw]) if read.records or raw else []
    for record in read.records:
        held.figures.accepted.labels(record.topic).inc()
    if read.parked:
        await _keep(held, known.given, read, list(zip(raw, positions[-len(raw) :], strict=True)))
    return read


async def retry(held: Resources, known: Known, letters: Sequence[ids.Key]) -> int:
    """Take up again these dead letters, by the pack as it is now; how many went through."""
    sent = 0
    for letter_id in letters:
        sent += await _retry_one(held, known, letter_id)
    return sent


async def _retry_one(held: Resources, known: Known, letter_id: ids.Key) -> int:
    assert known.pack is not None
    letter = await held.database.write(
        lambda connection: dead_letters.show(connection, held.vault, letter_id)
    )
    if not letter["body"]:
        return 0
    kept = msgspec.json.decode(letter["body"], type=_RawMessage)
    shop = kept.source.rpartition("/")[2]
    try:
        request = Request("POST", {}, {}, bytes(kept.data), shop, kept.time)
        message = codec.reopen(known.pack, known.given, request, kept.id)
    except PushRefused:
        return 0
    read = Read()
    _add(read, known.given, message, await _decoded(held, known, message))
    if read.parked:
        return 0

    async def send(*_as_it_came: object) -> None:
        if read.records:
            await held.sender.send(read.records)

    return await held.database.write(
        lambda connection: dead_letters.redrive(connection, held.vault, [letter_id], send, BY_HAND)
    )


class _RawMessage(msgspec.Struct):
    """What `_raw_record` wrote; `data` keeps every digit of its numbers."""

    id: str
    source: str
    time: datetime
    data: msgspec.Raw


async def _decoded(held: Resources, known: Known, message: Message) -> Decoded:
    """The message's events, its detail read before if its rule wants that."""
    pack = known.pack
    assert pack is not None
    detail: Any = MISSING
    rule = None if message.type in pack.ignored else codec.rule_of(pack, message)
    if rule is not None and rule.fetch is not None:
        fetch = pack.fetch[rule.fetch]
        try:
            body = await platform_calls.ask(
                held,
                known,
                lambda given: fetching.call_of(fetch, given, message.scope, datetime.now(UTC)),
            )
            detail = fetching.detail_of(fetch, message.scope, body)
        except Unmapped as unmapped:
            return Decoded(unmapped=unmapped)
        except DetailAwayError as error:
            headers = {"Retry-After": str(DETAIL_RETRY_AFTER_S)}
            raise Problem("detail-away", headers=headers) from error
    return codec.decode(pack, known.given, message, detail)


def _add(read: Read, given: Given, message: Message, decoded: Decoded) -> None:
    if decoded.unmapped is not None:
        read.parked.append((message, decoded.unmapped))
    elif decoded.ignored is not None:
        read.ignored.append((message.id, decoded.ignored))
    for made in decoded.events:
        body = msgspec.json.encode(made)
        event = events.decode(body)
        read.records.append(Record(topics.topic_of(event.type), events.partition_key(event), body))


def _raw_record(given: Given, message: Message) -> Record:
    """The message as it came, in an envelope that says of what channel and shop it is."""
    body = {
        "specversion": "1.0",
        "id": message.id,
        "source": _source(given, message),
        "type": RAW_TYPE,
        "time": message.received_at.isoformat(),
        "subject": message.type,
        "data": msgspec.Raw(message.raw),
    }
    key = f"{given.channel}/{message.scope.roots['shop']}/{message.id}"
    return Record(topics.INBOUND, key.encode(), msgspec.json.encode(body))


async def _keep(
    held: Resources, given: Given, read: Read, sent: list[tuple[Record, Position]]
) -> None:
    kept = [
        _letter(given, message, unmapped, record, position)
        for (message, unmapped), (record, position) in zip(read.parked, sent, strict=True)
    ]
    await held.database.write(
        lambda connection: dead_letters.keep(connection, held.vault, kept, RAW_TYPE)
    )


def _letter(
    given: Given, message: Message, unmapped: Unmapped, record: Record, position: Position
) -> Kept:
    source = _source(given, message)
    shop = str(message.scope.roots["shop"])
    event = Event(
        ids.event_key(source, message.id),
        source,
        given.channel,
        shop,
        message.id[:128],
        message.type[:128],
        message.received_at,
        None,
        "",
        b"",
        "",
        None,
        False,
    )
    bad = BadEvent(unmapped.code, unmapped.reason, unmapped.field)
    return Kept(
        position.topic,
        position.partition,
        position.offset,
        message.received_at,
        record.key,
        (),
        record.value,
        event,
        bad,
    )


def _source(given: Given, message: Message) -> str:
    return f"/channels/{given.channel}/shops/{message.scope.roots['shop']}"
