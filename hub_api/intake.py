"""From the bytes of a request to events that may be sent, or to all that is wrong with them.

Takes one CloudEvent or a batch, structured or binary. What an event must hold is decided by
`hub.domain.events`; where it is sent, by `hub_api.kafka`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

import msgspec

from hub.domain import events
from hub.domain.envelope import BadEvent, Event
from hub_api import strict_json
from hub_api.limits import BATCH_EVENTS_MAX, EVENT_BYTES_MAX
from hub_api.problems import Fault, Problem
from hub_api.strict_json import BadJsonError

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
PLAIN = "application/json"
ATTRIBUTE_PREFIX = "ce-"
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that may be sent, with its bytes as they came."""

    event: Event
    body: bytes


@dataclass(frozen=True, slots=True)
class Post:
    """What was posted: its headers (names in lower case), its body, and when."""

    headers: Iterable[tuple[str, str]]
    body: bytes
    received_at: datetime


def take(post: Post, channel: str) -> list[Taken]:
    """All events of a post, or a problem that names each bad one. Nothing in between."""
    bodies = _bodies(post)
    taken: list[Taken] = []
    faults: list[Fault] = []
    for index, body in enumerate(bodies):
        try:
            taken.append(Taken(_event(body, channel, post.received_at), body))
        except BadJsonError as error:
            faults.append(Fault(error.fault.field, error.fault.reason, index))
        except BadEvent as error:
            faults.append(Fault(error.field or "$", error.reason, index))
    if not faults:
        faults = list(_reused_ids(taken))
    if faults:
        bad = len({fault.index for fault in faults})
        raise Problem("bad-events", faults, count=bad, total=len(bodies))
    return taken


def _bodies(post: Post) -> list[bytes]:
    """The bytes of each event, cut out of the post unchanged."""
    headers = _by_name(post.headers)
    is_binary = f"{ATTRIBUTE_PREFIX}specversion" in headers
    # The SDK sends none in binary mode where the event has no `datacontenttype`.
    kind = _content_type(headers.get("content-type", PLAIN if is_binary else ""))
    try:
        text = strict_json.utf8(post.body)
        if kind == PLAIN and is_binary:
            strict_json.parse(text)
            return [_structured(headers, post.body)]
        if not text.lstrip().startswith("["):
            if kind == BATCHED:
                raise BadJsonError("$", "a batch is an array of events")
            # A body that is no JSON at all is told apart from a bad event.
            strict_json.parse(text)
            return [post.body]
        if kind == STRUCTURED:
            raise BadJsonError("$", f"an array of events is sent as {BATCHED}")
        return _cut(post.body)
    except BadJsonError as error:
        raise Problem("bad-json", [error.fault]) from None


def _cut(body: bytes) -> list[bytes]:
    try:
        bodies = [bytes(raw) for raw in _split(body)]
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadJsonError("$", str(error) or "it is nested too deep") from None
    if not bodies:
        raise BadJsonError("$", "the batch is empty")
    if len(bodies) > BATCH_EVENTS_MAX:
        raise BadJsonError("$", f"a batch has at most {BATCH_EVENTS_MAX} events")
    return bodies


def _event(body: bytes, channel: str, now: datetime) -> Event:
    if len(body) > EVENT_BYTES_MAX:
        raise BadEvent("too_large", f"an event has at most {EVENT_BYTES_MAX} bytes")
    strict_json.parse(body.decode())
    event = events.decode(body, now)
    if event.channel != channel:
        reason = f"events posted here come from /channels/{channel}/shops/<shop>"
        raise BadEvent("foreign_source", reason, "$.source")
    return event


def _reused_ids(taken: list[Taken]) -> Iterable[Fault]:
    """Two different events under one id in one batch: at most one of them can be meant."""
    first: dict[bytes, Taken] = {}
    for index, one in enumerate(taken):
        other = first.setdefault(one.event.key, one)
        if other.body != one.body:
            yield Fault("$.id", "another event of this batch has the same source and id", index)


def _structured(headers: Mapping[str, str], data: bytes) -> bytes:
    """An event in binary mode as one in structured mode: Kafka gets one form only."""
    try:
        attributes = {
            name.removeprefix(ATTRIBUTE_PREFIX): unquote(value, errors="strict")
            for name, value in headers.items()
            if name.startswith(ATTRIBUTE_PREFIX)
        }
    except UnicodeDecodeError:
        raise BadJsonError("headers", "a ce- header is not percent-encoded UTF-8") from None
    if "data" in attributes:
        raise BadJsonError("headers.ce-data", "data is the body, not a header")
    attributes["datacontenttype"] = PLAIN
    return msgspec.json.encode({**attributes, "data": msgspec.Raw(data)})


def _by_name(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        if name in found and (name.startswith(ATTRIBUTE_PREFIX) or name == "content-type"):
            raise Problem("bad-request", [Fault(f"headers.{name}", "it is sent twice")])
        found[name] = value
    return found


def _content_type(header: str) -> str:
    """The media type, if it is one we read, in UTF-8."""
    kind, _, parameters = header.lower().partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise Problem("unsupported-media-type")
    kind = kind.strip()
    if kind not in (STRUCTURED, BATCHED, PLAIN):
        raise Problem("unsupported-media-type")
    return kind
