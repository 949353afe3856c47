"""Events as the `cloudevents` SDK makes them: taken in every form, over HTTP and out of Kafka.

Both of its interfaces: that of 1.x, which most programs use, and that of 2.x.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings import http as http_now
from cloudevents.core.bindings import kafka as kafka_now
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import conversion
from cloudevents.v1 import http as http_before
from cloudevents.v1 import kafka as kafka_before

from hub.domain import events, topics
from hub.store import apply, records
from hub.store.records import Record
from hub.store.sealing import Vault
from tests.event_maker import line

PATH = "/v1/channels/website/events"
AT = datetime(2026, 3, 1, 10, 15, 0, 250_000, tzinfo=UTC)
DATA = {
    "order_number": "网站-1",
    "currency": "CNY",
    "lines": [line(1, "CAKE-6", 1, "168.00")],
    "total": "168.00",
    "remark": "少糖 \u201c6 寸\u201d 100%",
}
ATTRIBUTES: dict[str, Any] = {
    "id": "e/1 %",
    "source": "/channels/website/shops/main",
    "type": "order.placed",
    "subject": "网站-1",
    "sequence": "7",
    "specversion": "1.0",
}


def now(**more: Any) -> CloudEvent:
    """The event by the interface of 2.x."""
    return CloudEvent(ATTRIBUTES | {"time": AT} | more, DATA)


def before(**more: Any) -> http_before.CloudEvent:
    """The event by the interface of 1.x, which can't send a Chinese subject in a header."""
    plain = {"time": AT.isoformat(), "subject": "W-1"}
    return http_before.CloudEvent(ATTRIBUTES | plain | more, DATA)


def _posted(message: http_now.HTTPMessage) -> tuple[dict[str, str], bytes]:
    return message.headers, message.body


JSON = {"datacontenttype": "application/json"}
POSTED: dict[str, Callable[[], tuple[Any, Any]]] = {
    "structured": lambda: _posted(http_now.to_structured(now(**JSON), JSONFormat())),
    "binary": lambda: _posted(http_now.to_binary(now(**JSON), JSONFormat())),
    "binary without a content type": lambda: _posted(http_now.to_binary(now(), JSONFormat())),
    "structured, 1.x": lambda: conversion.to_structured(before()),
    "binary, 1.x": lambda: conversion.to_binary(before(**JSON)),
}


def _kept(message: Any) -> tuple[dict[str, bytes], bytes]:
    return message.headers, message.value


IN_KAFKA: dict[str, Callable[[], tuple[Any, Any]]] = {
    "structured": lambda: _kept(kafka_now.to_structured(now(**JSON), JSONFormat())),
    "binary": lambda: _kept(kafka_now.to_binary(now(**JSON), JSONFormat())),
    "binary without a content type": lambda: _kept(kafka_now.to_binary(now(), JSONFormat())),
    "structured, 1.x": lambda: _kept(kafka_before.to_structured(before(**JSON))),
    "binary, 1.x": lambda: _kept(kafka_before.to_binary(before(**JSON))),
}


WRITTEN = ATTRIBUTES | {"time": AT.isoformat(), "data": DATA}
THE_EVENT = events.decode(msgspec.json.encode(WRITTEN))
"""What all of them mean."""


@pytest.mark.parametrize("form", POSTED)
async def test_an_event_of_the_sdk_is_taken_over_http(http, poster, sender, form: str) -> None:
    headers, body = POSTED[form]()
    answer = await http.post(PATH, content=body, headers=poster | headers)
    assert answer.status_code == 202, answer.text
    (sent,) = sender.records
    assert events.decode(sent.value) == THE_EVENT


async def test_a_batch_of_events_of_the_sdk_is_taken_over_http(http, poster, sender) -> None:
    made = [now(id=f"e{number}") for number in range(3)]
    body = b"[" + b",".join(JSONFormat().write(one) for one in made) + b"]"
    headers = poster | {"Content-Type": "application/cloudevents-batch+json"}
    answer = await http.post(PATH, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    sent = [events.decode(record.value) for record in sender.records]
    assert [one.id for one in sent] == ["e0", "e1", "e2"]


@pytest.mark.parametrize("form", IN_KAFKA)
async def test_an_event_of_the_sdk_is_applied_out_of_kafka(writer, database, form: str) -> None:
    headers, value = IN_KAFKA[form]()
    body = value if isinstance(value, bytes) else value.encode()
    record = Record(topics.ORDERS, 0, 1, AT, None, tuple(headers.items()), body)
    read = records.decode(record, AT + timedelta(minutes=1))
    assert read.bad is None, read.bad
    assert read.event == THE_EVENT
    async with writer.transaction():
        vault = Vault(database.settings.secret())
        tally = await apply.apply(writer, vault, [read], "cluster")
    assert (tally.applied, tally.dead_letters) == (1, 0)
    row = await writer.fetchrow("select order_number, total_minor from hub.orders")
    assert tuple(row) == (DATA["order_number"], 16800)
