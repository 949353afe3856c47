"""Makes CloudEvents for tests, and the records of topics that carry them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from hub.domain import events, topics
from hub.domain.decisions import SOURCE, Decision, cloud_event
from hub.domain.envelope import Event
from hub.store.records import Record, decode

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
"""When the events of tests begin; their times are minutes after it."""
NOW = START + timedelta(days=30)


@dataclass
class Shop:
    """Posts events as one shop of one channel would. Ids are e-1, e-2, … unless named."""

    channel: str = "web"
    shop: str = "1"
    numbers: Any = field(default_factory=lambda: count(1))

    def body(self, kind: str, minute: float, /, **data: Any) -> bytes:
        """A CloudEvent. `event_id`, `sequence` and `subject` are attributes, the rest is data."""
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": data.pop("event_id", None) or f"e-{next(self.numbers)}",
            "source": f"/channels/{self.channel}/shops/{self.shop}",
            "type": kind,
            "time": at(minute).isoformat(),
            "datacontenttype": "application/json",
        }
        for attribute in ("sequence", "subject"):
            if attribute in data:
                event[attribute] = data.pop(attribute)
        return msgspec.json.encode(event | {"data": data})

    def decision(self, kind: str, minute: float, /, **data: Any) -> bytes:
        """A decision of the hub, made for this shop. `event_id` names it."""
        event_id = (
            data.pop("event_id", None) or f"d-{self.channel}-{self.shop}-{next(self.numbers)}"
        )
        subject = str(data.get("account", ""))
        made = Decision(kind, self.channel, self.shop, subject, data)
        return cloud_event(made, event_id, at(minute))

    def event(self, kind: str, minute: float, /, **data: Any) -> Event:
        """The decoded event."""
        return events.decode(self.body(kind, minute, **data))


def at(minute: float) -> datetime:
    """The time of a test's minute."""
    return START + timedelta(minutes=minute)


def line(number: int, sku: str, quantity: int, price: str, **more: Any) -> dict[str, Any]:
    """An order line at a price in whole cents; `discounts` may be added."""
    yuan, _, cents = price.partition(".")
    amount = (int(yuan) * 100 + int(cents or 0)) * quantity
    return {
        "line": str(number),
        "sku": sku,
        "quantity": str(quantity),
        "unit_price": price,
        "amount": f"{amount // 100}.{amount % 100:02d}",
    } | more


_offsets = count(1)
_DECIDED = re.compile(rb'"source":\s*"%b"' % SOURCE.encode())


def record(body: bytes | None, topic: str | None = None, **more: Any) -> Record:
    """A decoded record that carries a body, at an offset of its own; `now` is the hub's clock, and
    none for its own decisions."""
    made = Record(
        topic or topics.ORDERS,
        more.pop("partition", 0),
        more.pop("offset", None) or next(_offsets),
        NOW,
        more.pop("key", None),
        more.pop("headers", ()),
        body,
    )
    is_decision = body is not None and _DECIDED.search(body) is not None
    decoded = decode(made, more.pop("now", None if is_decision else NOW))
    if topic is None and decoded.event is not None:
        decoded.topic = topics.topic_of(decoded.event.type)
    return decoded
