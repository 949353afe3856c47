"""The hub's full path: orders of two lines through `HubHandler`, by Kafka or from memory.

From memory the same writes are made without Kafka and Faust: the limit that the worker is
compared with. Not here: the simple upsert (`benchmarks.streams_upsert`).
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import orjson
from aiokafka import ConsumerRecord, TopicPartition

from benchmarks.streams_events import FIRST_PLACED_AT, PLACES
from benchmarks.streams_meter import Meter, end_this_process
from hub.settings import load
from streams.processors.handler import GROUP, HubHandler
from streams.transport.batch import Batch, Record, Slice
from streams.transport.config import StreamConfig
from streams.worker import LOG_FORMAT, run

SKUS = 5000
LINES = 2
PARTITIONS = 4
CLUSTER = "memory"


def event(number: int) -> tuple[bytes, bytes]:
    """Key and value of order `number`: two lines of different items."""
    order_number = f"F{number:09d}"
    skus = [f"sku-{(number * 7919 + step * 2503) % SKUS:04d}" for step in range(LINES)]
    body = {
        "specversion": "1.0",
        "id": f"placed-{order_number}",
        "source": "/channels/website/shops/main",
        "type": "order.placed",
        "time": (FIRST_PLACED_AT + timedelta(seconds=number)).isoformat(),
        "subject": order_number,
        "data": {
            "order_number": order_number,
            "currency": "CNY",
            "place": f"store-{number % PLACES:02d}",
            "buyer": {"account": f"account-{number % 20_000}"},
            "lines": [
                {
                    "line": str(line + 1),
                    "sku": sku,
                    "quantity": "1",
                    "unit_price": "12.50",
                    "amount": "12.50",
                }
                for line, sku in enumerate(skus)
            ],
            "total": "25.00",
        },
    }
    return order_number.encode(), orjson.dumps(body)


class MeasuredHubHandler(HubHandler):
    """The hub's handler with the clock in it; ends the worker after so many events."""

    def __init__(self, events: int, writers: int) -> None:
        """`events`: how many there are to come."""
        super().__init__(load(), writers=writers)
        self._meter = Meter(events)

    def decode(self, batch: Batch) -> Any:
        """Start the clock at the first batch."""
        self._meter.begin()
        return super().decode(batch)

    async def store(self, decoded: Any, batch: Batch) -> None:
        """Count what is in Postgres."""
        await super().store(decoded, batch)
        if self._meter.stored(batch.size):
            end_this_process()


async def from_memory(way: str, events: int, writers: int, write_records: int) -> None:
    """As many writes at once as a worker has lanes.

    way: `memory` has the events decoded beforehand, which leaves the deciding and the SQL; `bytes`
    decodes them as a worker does, which leaves Kafka and Faust out and nothing else.
    """
    handler = HubHandler(load(), writers=writers)
    await handler.start()
    meter = Meter(events)
    lanes: list[list[tuple[Any, Batch]]] = [[] for _ in range(writers)]
    for partition in range(PARTITIONS):
        for batch in batches(partition, range(partition, events, PARTITIONS), write_records):
            decoded = handler.decode(batch) if way == "memory" else None
            lanes[partition % writers].append((decoded, batch))

    async def write(lane: Iterable[tuple[Any, Batch]]) -> None:
        for decoded, batch in lane:
            await handler.store(decoded or handler.decode(batch), batch)
            meter.stored(batch.size)

    meter.begin()
    await asyncio.gather(*map(write, lanes))
    await handler.stop()


def batches(partition: int, numbers: range, write_records: int) -> Iterable[Batch]:
    """The orders as one partition's records, in batches of a write's size."""
    tp = TopicPartition("memory", partition)
    records = [record(tp, offset, number) for offset, number in enumerate(numbers)]
    whole = Batch((Slice(tp, records, 0, len(records)),), CLUSTER)
    return whole.split(write_records)


def record(tp: TopicPartition, offset: int, number: int) -> Record:
    """The order as the Kafka client would give it."""
    key, value = event(number)
    placed_at_ms = int(FIRST_PLACED_AT.timestamp() * 1000)
    return ConsumerRecord(
        *(tp.topic, tp.partition, offset, placed_at_ms, 0, key, value),
        *(None, len(key), len(value), ()),
    )


def serve() -> None:
    """Run one of the two until all events are stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=("kafka", "bytes", "memory"))
    parser.add_argument("--topic", default="")
    parser.add_argument("--events", type=int, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    settings = load()
    if options.way != "kafka":
        sizes = (StreamConfig.writers, settings.write_records)
        asyncio.run(from_memory(options.way, options.events, *sizes))
        os._exit(0)
    config = StreamConfig(
        group=GROUP,
        brokers=settings.brokers,
        topics=(options.topic,),
        poll_records=settings.poll_records,
        write_records=settings.write_records,
        linger_ms=settings.linger_ms,
    )
    run(config, MeasuredHubHandler(options.events, config.writers))


if __name__ == "__main__":
    serve()
