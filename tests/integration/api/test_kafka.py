"""The API's sender on a real broker: what it confirms is there; away and back; nothing for ever."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.domain import topics as hub_topics
from hub.domain.topics import Topic
from hub.local import kafka as local_kafka
from hub.settings import Settings
from hub_api.app import create_app
from hub_api.kafka import KafkaAwayError, KafkaSender, Position, Record
from hub_api.limits import KAFKA_START_TIMEOUT_S


async def records_at(brokers: str, positions: list[Position]) -> list[Any]:
    """What Kafka has at these positions."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False)
    await consumer.start()
    try:
        found = []
        for position in positions:
            place = TopicPartition(position.topic, position.partition)
            consumer.assign([place])
            consumer.seek(place, position.offset)
            found.append(await asyncio.wait_for(consumer.getone(), 10))
        return found
    finally:
        await consumer.stop()


@pytest.fixture
async def real(broker: Settings) -> AsyncIterator[KafkaSender]:
    sender = KafkaSender(broker)
    yield sender
    await sender.close()


async def test_what_is_confirmed_is_in_kafka_at_its_position(real, topics) -> None:
    name = topics.create(Topic("orders", "order number", partitions=3))
    records = [Record(name, f"key{i % 5}".encode(), f"value{i}".encode()) for i in range(40)]
    positions = await real.send(records)
    found = await records_at(topics.brokers.brokers, positions)
    assert [(one.key, one.value) for one in found] == [(one.key, one.value) for one in records]
    for key in {record.key for record in records}:
        of_key = [
            (position.partition, position.offset)
            for position, record in zip(positions, records, strict=True)
            if record.key == key
        ]
        assert of_key == sorted(of_key), "events of one entity keep their order"


async def test_the_whole_way_of_a_post_ends_in_its_topic(
    broker: Settings, database, key_for: Callable[..., Any], event
) -> None:
    await asyncio.to_thread(local_kafka.ensure_topics, broker, hub_topics.TOPICS)
    settings = database.settings.model_copy(update={"kafka_brokers": broker.brokers})
    app = create_app(settings)
    headers = await key_for("website", "events:write") | {
        "content-type": "application/json",
        "content-encoding": "gzip",
    }
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            assert (await client.get("/readyz")).json() == {"postgres": "ok", "kafka": "ok"}
            body = gzip.compress(json.dumps([event("e1"), event("e2")]).encode())
            answer = await client.post(
                "/v1/channels/website/events", content=body, headers=headers, timeout=30
            )
            assert answer.status_code == 202, answer.text
            url = answer.json()["events"][1]["status_url"]
            assert (await client.get(url, headers=headers)).json()["state"] == "pending"


async def test_a_broker_that_is_away_is_said_in_time_and_not_asked_again_at_once(
    settings: Settings, free_port: Callable[[], int]
) -> None:
    sender = KafkaSender(settings.model_copy(update={"kafka_brokers": f"127.0.0.1:{free_port()}"}))
    started = time.monotonic()
    with pytest.raises(KafkaAwayError):
        await sender.send([Record("t", b"k", b"v")])
    assert time.monotonic() - started < KAFKA_START_TIMEOUT_S + 4
    with pytest.raises(KafkaAwayError):
        await sender.check()
    started = time.monotonic()
    with pytest.raises(KafkaAwayError, match="a moment ago"):
        await sender.send([Record("t", b"k", b"v")])
    assert time.monotonic() - started < 0.1
    await sender.close()


async def test_a_broker_that_accepts_and_says_nothing_is_given_up(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        sender = KafkaSender(settings.model_copy(update={"kafka_brokers": address}))
        started = time.monotonic()
        with pytest.raises(KafkaAwayError):
            await sender.send([Record("t", b"k", b"v")])
        assert time.monotonic() - started < KAFKA_START_TIMEOUT_S + 4
        await sender.close()


async def test_a_topic_that_does_not_exist_is_not_made_by_a_post(
    real: KafkaSender, topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.kafka.KAFKA_SEND_TIMEOUT_S", 2.0)
    with pytest.raises(KafkaAwayError):
        await real.send([Record(topics.name("missing"), b"k", b"v")])


async def test_sending_goes_on_after_a_producer_failed(
    real: KafkaSender, topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = topics.create(Topic("orders", "order number", partitions=1))
    await real.send([Record(name, b"k", b"1")])
    with monkeypatch.context() as patched:
        patched.setattr("hub_api.kafka.KAFKA_SEND_TIMEOUT_S", 0.0)
        with pytest.raises(KafkaAwayError):
            await real.send([Record(name, b"k", b"2")])
    await asyncio.sleep(1.1)
    (position,) = await real.send([Record(name, b"k", b"2")])
    (found,) = await records_at(topics.brokers.brokers, [position])
    assert found.value == b"2"
