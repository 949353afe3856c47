"""The events of the stream benchmarks: order events of 400 bytes, and how they get into Kafka.

Not here: what is measured with them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import aiokafka
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

EVENT_BYTES = 400
FIRST_PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)
PLACES = 40
IN_FLIGHT_MAX = 2000


Make = Callable[[int], tuple[bytes, bytes]]


def event(number: int) -> tuple[bytes, bytes]:
    """Key and value of order `number`: the same each time, padded to 400 bytes."""
    order_number = f"W{number:09d}"
    placed_at = FIRST_PLACED_AT + timedelta(seconds=number)
    body = {
        "specversion": "1.0",
        "id": f"placed-{order_number}",
        "source": "/channels/website/shops/main",
        "type": "order.placed",
        "time": placed_at.isoformat(),
        "subject": order_number,
        "data": {
            "order_number": order_number,
            "currency": "CNY",
            "place": f"store-{number % PLACES:02d}",
            "total": f"{number % 900 + 10}.{number % 100:02d}",
            "note": "",
        },
    }
    room = EVENT_BYTES - len(orjson.dumps(body))
    body["data"]["note"] = "n" * max(0, room)
    return order_number.encode(), orjson.dumps(body)


async def make_topic(brokers: str, topic: str, partitions: int) -> None:
    """Make the topic and wait until it has leaders."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1)])
        while True:
            found = (await admin.describe_topics([topic]))[0]["partitions"]
            if len(found) == partitions and all(part["leader"] >= 0 for part in found):
                return
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def produce(
    brokers: str,
    topic: str,
    numbers: range,
    codec: str | None = "lz4",
    make: Make = event,
) -> None:
    """Write the orders as fast as it goes."""
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        acks="all",
        linger_ms=20,
        max_batch_size=256 * 1024,
        compression_type=codec,
    )
    await producer.start()
    try:
        waiting: list[asyncio.Future[aiokafka.structs.RecordMetadata]] = []
        for number in numbers:
            key, value = make(number)
            waiting.append(await producer.send(topic, value, key))
            if len(waiting) >= IN_FLIGHT_MAX:
                await asyncio.gather(*waiting)
                waiting.clear()
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def ticks(per_second: int, seconds: float) -> AsyncIterator[int]:
    """Numbers at an even pace, each when it is due; late ones follow at once."""
    began = time.perf_counter()
    for number in range(int(per_second * seconds)):
        wait_s = began + number / per_second - time.perf_counter()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        yield number
