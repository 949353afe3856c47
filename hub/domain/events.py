"""Reading events: CloudEvents 1.0 JSON into `Event`, or the reason why not.

The identity of an event is (source, id). A bad event raises `BadEvent` and nothing else, whatever
its bytes are. What events mean is in the modules of their nouns.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from hub.domain import decisions, ids, payloads, sandbox
from hub.domain.envelope import BadEvent, Event, utc
from hub.domain.readers import DECIDED_TYPES, NAMED_BY, READERS

BODY_BYTES_MAX = 1024 * 1024
FUTURE_MAX = timedelta(days=1)
"""How far ahead of the hub's clock a channel's may run before an event is refused."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Events before this have no real time: 1970 is what a missing time looks like."""
SEQUENCE_MAX = 2**63 - 1
_SEQUENCE = re.compile(r"[0-9]{1,19}")
SOURCE = re.compile(r"/channels/([a-z0-9][a-z0-9_-]{0,63})/shops/([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
_PERSONAL_MEMBERS = frozenset(
    f"member.{step}" for step in ("registered", "updated", "identified", "consent_changed")
)
"""What remains of a person after an erasure, rulings and the erasure itself, is not among them."""


class Envelope(Struct, gc=False):
    """A CloudEvent as it stands on the wire."""

    specversion: Literal["1.0"]
    id: payloads.Id
    source: Annotated[str, Meta(min_length=1, max_length=256)]
    type: Annotated[str, Meta(min_length=1, max_length=128)]
    time: payloads.Time
    data: msgspec.Raw
    subject: Annotated[str, Meta(max_length=256)] | None = None
    sequence: str | int | None = None
    datacontenttype: str | None = None
    # Extensions of the hub's own decisions: for which channel and shop they were made.
    channel: str | None = None
    shop: str | None = None


_COUNTS = (payloads.stock.StockCount, payloads.stock.Capacity)
_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_payload: dict[str, Callable[[Any], Any]] = {
    name: msgspec.json.Decoder(payload).decode for name, payload in payloads.BY_TYPE.items()
}


def decode(body: bytes, now: datetime | None = None) -> Event:
    """The event in `body` (structured mode). BadEvent says what is wrong, with the field.

    now: the hub's clock, to refuse times from the future; None for events that were taken before,
    and for those that the hub itself has just decided.
    """
    if len(body) > BODY_BYTES_MAX:
        raise BadEvent("too_large", f"{len(body)} bytes are above the limit of {BODY_BYTES_MAX}")
    try:
        if not body.isascii():
            body.decode()  # fields that nobody reads are kept and shown as well
        envelope = _decode_envelope(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad("envelope_invalid", error) from None
    return _read(envelope, now, has_escapes=b"\\" in body)


def decode_binary(
    headers: Mapping[str, bytes | None], body: bytes, now: datetime | None = None
) -> Event:
    """The event of a record in binary mode: attributes in `ce_` headers, data in `body`."""
    try:
        attributes: dict[str, Any] = {
            name[3:]: (value or b"").decode()  # Kafka has headers without a value
            for name, value in headers.items()
            if name.startswith("ce_")
        }
        envelope = msgspec.convert({**attributes, "data": msgspec.Raw(body)}, Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _bad("envelope_invalid", error) from None
    # A header needs no escape to carry a control character.
    return _read(envelope, now, has_escapes=b"\\" in body or not envelope.id.isprintable())


class Told(Struct, gc=False, frozen=True):
    """What a fact tells of an event: for whom it was, its entity's own name, and its payload; and
    as the envelope says them, unread, of which trace it is and how many effects led to it."""

    channel: str
    shop: str
    subject: str
    data: dict[str, Any]
    traceparent: Any
    hops: Any


class _Known(Struct, gc=False):
    data: dict[str, Any]
    channel: str | None = None
    shop: str | None = None
    traceparent: Any = None
    hops: Any = msgspec.field(default=None, name=decisions.HOPS)


_decode_known = msgspec.json.Decoder(_Known).decode


def retold(source: str, event_type: str, body: bytes) -> Told | None:
    """What an event of the log tells, by one decoding: it was good once, so nothing is checked.

    body: in structured mode. None for types whose entity is not simply named by a field.
    """
    name = NAMED_BY.get(event_type)
    if name is None:
        return None
    known = _decode_known(body)
    if source == decisions.SOURCE:
        place = known.channel or "", known.shop or ""
    else:
        place = _channel_and_shop(source)
    return Told(*place, known.data[name], known.data, known.traceparent, known.hops)


@lru_cache(maxsize=4096)
def _channel_and_shop(source: str) -> tuple[str, str]:
    parts = SOURCE.fullmatch(source)
    if parts is None:
        raise BadEvent(
            "source_invalid", "source is not /channels/<channel>/shops/<shop>", "$.source"
        )
    return parts[1], parts[2]


def _place_of(envelope: Envelope, *, is_from_outside: bool) -> tuple[str, str]:
    """Channel and shop of an event: its source names them, but for the hub's own decisions."""
    if envelope.source != decisions.SOURCE:
        if envelope.type in DECIDED_TYPES and is_from_outside:
            raise BadEvent("type_reserved", f"only the hub decides {envelope.type}", "$.type")
        return _channel_and_shop(envelope.source)
    if is_from_outside:
        raise BadEvent("source_reserved", "/hub is the source of the hub itself", "$.source")
    return envelope.channel or "", envelope.shop or ""


def _read(envelope: Envelope, now: datetime | None, *, has_escapes: bool) -> Event:
    channel, shop = _place_of(envelope, is_from_outside=now is not None)
    reader = READERS.get(envelope.type)
    if reader is None:
        raise BadEvent("type_unknown", f"type '{envelope.type[:80]}' is not known", "$.type")
    occurred_at = utc(envelope.time, "$.time")
    if now is not None:
        _refuse_impossible_time(occurred_at, now, "$.time")
    try:
        payload = _decode_payload[envelope.type](envelope.data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _bad("data_invalid", error, "$.data") from None
    if has_escapes:
        _refuse_control_characters(payload, envelope.id)
    kind, subject, entity_key, data = reader(channel, shop, payload)
    if now is not None and isinstance(payload, _COUNTS):
        # A count from the future would swallow every change until then.
        _refuse_impossible_time(payload.measured_at, now, "$.data.measured_at")
    is_personal = envelope.type in _PERSONAL_MEMBERS or any(
        getattr(payload, name, None) is not None for name in payloads.PERSONAL_PARTS
    )
    event_key = ids.event_key(envelope.source, envelope.id)
    if sandbox.is_sandbox(channel):
        # Read as any other, and then out of every noun's reach.
        kind, entity_key, data = sandbox.KIND, sandbox.entity_of(event_key), None
    return Event(
        event_key,
        envelope.source,
        channel,
        shop,
        envelope.id,
        envelope.type,
        occurred_at,
        _sequence(envelope.sequence),
        kind,
        entity_key,
        subject,
        data,
        is_personal,
    )


def _refuse_impossible_time(time: datetime, now: datetime, field: str) -> None:
    if not EARLIEST <= time <= now + FUTURE_MAX:
        raise BadEvent(
            "time_out_of_range",
            f"time {time.isoformat()} is before 2000 or more than a day ahead",
            field,
        )


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _refuse_control_characters(payload: payloads.Payload, event_id: str) -> None:
    """JSON can carry control characters only as escapes, so events without a backslash have none.

    In ids they break logs, CSV files and header lines; NUL breaks the database's text type.
    """
    pending: list[tuple[str, bool, Any]] = [("$.id", False, event_id), ("$.data", False, payload)]
    while pending:
        path, is_free, value = pending.pop()
        if isinstance(value, str):
            if "\x00" in value or (not is_free and _CONTROL.search(value)):
                raise BadEvent("control_character", "a control character stands in the text", path)
        elif isinstance(value, Struct):
            for name in value.__struct_fields__:
                free = name in payloads.FREE_TEXT
                pending.append((f"{path}.{name}", free, getattr(value, name)))
        elif isinstance(value, list):
            pending += [(f"{path}[{i}]", is_free, item) for i, item in enumerate(value)]
        elif isinstance(value, dict):
            # Keys are names of a system's own: never free.
            pending += [(path, False, key) for key in value]
            pending += [(f"{path}.*", is_free, item) for item in value.values()]


def _sequence(value: str | int | None) -> int | None:
    if value is None:
        return None
    digits = str(value)
    # int() alone would read signs, spaces, underscores and digits of any script.
    number = int(digits) if _SEQUENCE.fullmatch(digits) else -1
    if not 0 <= number <= SEQUENCE_MAX:
        raise BadEvent("sequence_invalid", "sequence is not a number from 0 up", "$.sequence")
    return number


def _bad(code: str, error: Exception, root: str = "$") -> BadEvent:
    """msgspec names the path at the end of its message: `... - at `$.lines[0]``."""
    message, _, path = str(error).partition(" - at `")
    field = root + path.rstrip("`").removeprefix("$")
    return BadEvent(code, message[:300], field)


def partition_key(event: Event) -> bytes:
    """The Kafka key of an event: its entity, so that one entity's events keep their order."""
    return ids.text(event.entity_key).encode()
