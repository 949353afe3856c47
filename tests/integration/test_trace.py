"""One trace from a request over Kafka and the store to the delivery, readable by its hops."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner

from hub.cli import build
from hub.domain import topics
from hub.domain.decisions import Decision
from hub.local import kafka
from hub.settings import Settings
from hub.store import commands, keys, subscriptions
from hub.store.keys import NewKey
from hub.store.subscriptions import NewSubscription
from hub.testing import Database
from hub_api.app import create_app
from tests.event_maker import Shop, line, record
from tests.integration.store.delivery_stage import Receiver, Stage, serve
from tests.integration.store.stage import Store

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    from hub.store import db

    connection = await db.connect(database.dsn("writer"))
    yield Store(database, connection)
    await connection.close()


@pytest.fixture
async def told(store: Store) -> AsyncIterator[tuple[Stage, Receiver]]:
    """A dispatcher, and a receiver that is told of all orders."""
    receiver, runner = await serve()
    new = NewSubscription(None, "test", ["order.*", "reservation.*"], receiver.url)
    await subscriptions.add(store.connection, store.vault, new)
    stage = Stage(store.database.settings.model_copy(update={"local_receivers": True}))
    await stage.open()
    await stage.go(1)
    yield stage, receiver
    await stage.close()
    await runner.cleanup()


def placed(shop: Shop, number: str) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    return shop.body("order.placed", 0, event_id=number, subject=number, **content)


async def from_kafka(broker: Settings, event_id: str) -> Any:
    """The record of this event in the topic of orders."""
    consumer = AIOKafkaConsumer(
        topics.ORDERS, bootstrap_servers=broker.brokers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            async for one in consumer:
                if json.loads(one.value or b"{}").get("id") == event_id:
                    return one
    finally:
        await consumer.stop()


async def test_a_request_is_one_trace_with_the_delivery_it_led_to(
    broker: Settings, store: Store, told: tuple[Stage, Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, receiver = told
    await asyncio.to_thread(kafka.ensure_topics, broker)
    settings = store.database.settings.model_copy(update={"kafka_port": broker.kafka_port})
    event_id = f"W-{uuid.uuid4().hex[:8]}"
    key = NewKey("a test", ("events:write",), None)
    headers = {"Authorization": f"Bearer {await keys.create(store.connection, key)}"}
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            said = {"traceparent": TRACEPARENT, "Content-Type": "application/json"}
            posted = await client.post(
                "/v1/channels/web/events",
                content=placed(Shop("web"), event_id),
                headers=headers | said,
            )
            assert posted.status_code == 202, posted.text
            assert posted.headers["X-Trace-Id"] == TRACE
            found = await from_kafka(broker, event_id)
            # The event itself is as it was sent: sent again it is the same to the byte.
            assert "traceparent" not in json.loads(found.value)
            await store.take(record(found.value, headers=list(found.headers)))
            await stage.go()
            way = (await client.get(f"/v1/channels/web/events/{event_id}", headers=headers)).json()
    (delivered,) = receiver.headers
    assert delivered["traceparent"].split("-")[1] == TRACE
    assert delivered["traceparent"] != TRACEPARENT
    assert way["way"]["trace_id"] == TRACE
    (telling,) = way["way"]["told"]
    assert (telling["state"], telling["attempts"][0]["status"]) == ("delivered", 200)
    for name, value in store.database.settings.environment().items():
        monkeypatch.setenv(name, value)
    shown = await asyncio.to_thread(CliRunner().invoke, build("trace"), ["trace", event_id])
    assert shown.exit_code == 0, shown.output
    assert f"trace {TRACE}" in shown.output
    assert "sent, answered 200" in shown.output


async def test_a_decision_of_the_hub_is_in_the_trace_of_who_asked_for_it(
    store: Store, told: tuple[Stage, Receiver]
) -> None:
    from hub.domain import tracing

    stage, receiver = told
    await store.take(placed(Shop("web"), "W-1"))
    token = tracing.current.set(TRACEPARENT)
    try:
        async with store.connection.transaction():
            data = {"order_number": "W-1", "reason": "the buyer asked for it"}
            wanted = Decision("order.cancelled", "web", "1", "W-1", data)
            await commands.run(store.connection, store.vault, [wanted])
    finally:
        tracing.current.reset(token)
    await stage.go()
    assert receiver.told("type") == ["order.placed", "order.cancelled"]
    assert receiver.headers[-1]["traceparent"] == TRACEPARENT
    assert "traceparent" not in receiver.headers[0]


async def test_an_unknown_event_has_no_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in store.database.settings.environment().items():
        monkeypatch.setenv(name, value)
    shown = await asyncio.to_thread(CliRunner().invoke, build("trace"), ["trace", "nobody"])
    assert shown.exit_code == 1
