"""Each fact is published in Kafka at least once and in order for each entity, whatever dies."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from cloudevents.v1.http import from_json

from hub.domain import topics
from hub.domain.telling import read_position
from hub.local import kafka
from hub.settings import Settings
from hub.store import apply, db
from hub.store.sealing import Vault
from hub.testing import Database, free_port
from streams.facts.publisher import Publisher
from tests.consistency.delivery_process import DEADLINE_S, DeliveryProcess
from tests.event_maker import Shop, line, record

ORDERS = 300
KILLS = 3
EVENTS_A_WRITE = 4
PAUSE_S = 0.03


def placed(shop: Shop, number: str) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    return shop.body("order.placed", 0, **content)


def paid(shop: Shop, number: str) -> bytes:
    return shop.body(
        "order.paid", 1, order_number=number, amount="30.00", currency="CNY", method="card",
        payment_id=f"p-{number}",
    )  # fmt: skip


@pytest.fixture
def worker(database: Database, broker: Settings, tmp_path: Path) -> Iterator[DeliveryProcess]:
    more = {"kafka_port": broker.kafka_port, "deliveries_port": free_port()}
    running = DeliveryProcess(
        database.settings.model_copy(update=more), tmp_path / "deliveries.log"
    )
    kafka.ensure_topics(broker)
    yield running
    running.kill()


async def read_facts(settings: Settings, channel: str, wanted: set[str]) -> list[Any]:
    """The records of a channel's facts in the topic, until all wanted ids were seen."""
    consumer = AIOKafkaConsumer(
        topics.FACTS, bootstrap_servers=settings.brokers, auto_offset_reset="earliest"
    )
    await consumer.start()
    found, missing = [], set(wanted)
    deadline = time.monotonic() + DEADLINE_S
    try:
        while missing:
            assert time.monotonic() < deadline, f"{len(missing)} facts are missing"
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for one in records:
                    said = json.loads(one.value or b"")
                    if f"/channels/{channel}/" in said["source"]:
                        found.append(one)
                        missing.discard(said["id"])
    finally:
        await consumer.stop()
    return found


async def take(database: Database, bodies: list[bytes]) -> None:
    connection: Any = await db.connect(database.dsn("writer"))
    vault = Vault(database.settings.secret())
    async with connection.transaction():
        told = [record(body) for body in bodies]
        await apply.apply(connection, vault, told, "cluster")
    await connection.close()


async def write(database: Database, bodies: list[bytes]) -> None:
    """A few at a time, for as long as the worker is killed."""
    for at in range(0, len(bodies), EVENTS_A_WRITE):
        await take(database, bodies[at : at + EVENTS_A_WRITE])
        await asyncio.sleep(PAUSE_S)


async def test_kill_9_in_the_middle_loses_no_fact_and_keeps_the_order_of_each_entity(
    database: Database, worker: DeliveryProcess
) -> None:
    channel = f"web-{uuid.uuid4().hex[:8]}"
    shop = Shop(channel)
    numbers = [str(number) for number in range(ORDERS)]
    bodies = [placed(shop, number) for number in numbers]
    bodies += [paid(shop, number) for number in numbers]
    writing = asyncio.create_task(write(database, bodies))
    for life in range(KILLS):
        worker.start()
        await worker.wait_until(lambda said: said["facts"]["published"])
        await asyncio.sleep(0.01 * life)
        worker.kill()
    await writing
    worker.start()
    wanted = {json.loads(body)["id"] for body in bodies}
    found = await read_facts(worker.settings, channel, wanted)
    seen: dict[bytes, dict[str, tuple[int, int]]] = {}
    for one in found:
        event = from_json(one.value)
        assert one.key.decode() == event["entityid"]
        seen.setdefault(one.key, {}).setdefault(event["id"], read_position(event["hubposition"]))
    assert sum(len(facts) for facts in seen.values()) == len(wanted)
    for facts in seen.values():
        # In the order of their first appearance.
        assert list(facts.values()) == sorted(facts.values())


async def test_facts_wait_for_a_kafka_that_is_away_and_hold_up_nothing_else(
    database: Database, broker: Settings
) -> None:
    away = database.settings.model_copy(update={"kafka_brokers": f"127.0.0.1:{free_port()}"})
    publisher = Publisher(away)
    shop = Shop(f"web-{uuid.uuid4().hex[:8]}")
    await take(database, [placed(shop, "1")])
    running = asyncio.create_task(publisher.run())
    deadline = time.monotonic() + DEADLINE_S
    while publisher.trouble is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    publisher._settings = away.model_copy(update={"kafka_brokers": broker.brokers})
    while not publisher.published:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await publisher.close()
