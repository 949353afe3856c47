"""One event ready to be produced: its topic, key, CloudEvents JSON and the moment it happened.

What the events say is in the modules that make them; the contract itself is `hub.domain`'s.
"""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from hub.domain import ids, topics

_encoder = msgspec.json.Encoder()


class Record(NamedTuple):
    """What goes to Kafka. `at_s`: seconds since 1970 in the world of the events, for the pace."""

    at_s: int
    topic: str
    key: bytes
    value: bytes


class Fact(NamedTuple):
    """What happened, before it is an envelope. `event_id` is unique within `source`."""

    type: str
    event_id: str
    source: str
    subject: str
    data: dict[str, Any]
    sequence: int | None = None


def source(channel: str, shop: str | int) -> str:
    """The CloudEvents source of a shop."""
    return f"/channels/{channel}/shops/{shop}"


def record(at_s: int, fact: Fact) -> Record:
    """The fact as a record, keyed by its entity so that Kafka keeps the entity's order."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": fact.event_id,
        "source": fact.source,
        "type": fact.type,
        "time": time_text(at_s),
        "subject": fact.subject,
        "datacontenttype": "application/json",
        "data": fact.data,
    }
    if fact.sequence is not None:
        event["sequence"] = str(fact.sequence)
    topic = topics.topic_of(fact.type)
    return Record(at_s, topic, ids.text(_entity(fact)).encode(), _encoder.encode(event))


def _entity(fact: Fact) -> ids.Key:
    """The fact's entity: the key that the hub's API would give the event, too."""
    _, _, channel, _, shop = fact.source.split("/")
    noun = fact.type.partition(".")[0]
    if noun in ("order", "return", "refund"):
        return ids.order_id(channel, shop, fact.subject)
    if noun in ("member", "points"):
        return ids.profile_id(channel, fact.subject)
    if noun == "stock":
        return ids.stock_id(fact.subject, fact.data["place"])
    if noun == "coupon":
        return ids.coupon_id(fact.subject)
    return ids.catalog_id(noun, fact.subject)


def time_text(at_s: int) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
