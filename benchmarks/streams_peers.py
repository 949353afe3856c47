"""The peers of the transport, each as one would write it.

`stock_faust`: an agent with `take`, as Faust's guide has it. `plain_loop`: aiokafka and asyncpg
in a loop, offsets in the data's transaction. `copy_upsert`: Postgres's own limit, rows ready in
memory, COPY into a staging table and one insert a batch. Not here: the transport
(`benchmarks.streams_worker`), who takes which turn (`benchmarks.streams`).
"""

import argparse
import asyncio
import logging
import os
from dataclasses import dataclass
from typing import Any

import asyncpg
import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.worker import Worker

from benchmarks import streams_events
from benchmarks.streams_meter import Meter
from benchmarks.streams_upsert import Columns, columns, prepare, upsert
from hub.store import offsets
from streams.transport.thread import cluster_id

TAKE = 1000
TAKE_WITHIN_S = 0.05
POLL_RECORDS = 5000
POLL_TIMEOUT_MS = 200
FETCH_BYTES_MAX = 4 * 1024 * 1024
COPY_ROWS = 5000


def stock_faust(options: argparse.Namespace) -> None:
    """An agent that takes up to 1,000 events within 50 ms and upserts them."""
    meter = Meter(options.events)
    app = faust.App(
        options.group,
        broker=f"kafka://{options.brokers}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        value_serializer="raw",
        broker_max_poll_records=POLL_RECORDS,
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
    )
    topic = app.topic(options.topic)
    pool: list[asyncpg.Connection] = []

    @app.agent(topic)
    async def store(stream: faust.StreamT[bytes]) -> None:
        pool.append(await asyncpg.connect(options.dsn))
        await prepare(pool[0])
        taken: Any = stream.take(TAKE, within=TAKE_WITHIN_S)  # its stub is wrong
        async for values in taken:
            meter.begin()
            async with pool[0].transaction():
                await upsert(pool[0], columns(map(Event, values)))
            if meter.stored(len(values)):
                os._exit(0)

    Worker(app, loglevel="WARNING", quiet=True, override_logging=False).execute_from_commandline()


@dataclass(frozen=True)
class Event:
    """What `columns` wants of a record."""

    value: bytes | None


async def plain_loop(options: argparse.Namespace) -> None:
    """Poll, decode, upsert, move the offsets, commit; again."""
    meter = Meter(options.events)
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=options.brokers,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES_MAX,
        enable_auto_commit=False,
    )
    await consumer.start()
    connection = await asyncpg.connect(options.dsn)
    await prepare(connection)
    cluster = await cluster_id([options.brokers])
    partitions = [TopicPartition(options.topic, number) for number in range(options.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    while True:
        polled = await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS, max_records=POLL_RECORDS)
        records = [record for part in polled.values() for record in part]
        if not records:
            continue
        meter.begin()
        rows = columns(records)
        moves = {tp: (part[0].offset, part[-1].offset + 1) for tp, part in polled.items()}
        async with connection.transaction():
            await upsert(connection, rows)
            await offsets.advance(connection, options.group, moves, cluster)
        if meter.stored(len(records)):
            os._exit(0)


async def copy_upsert(options: argparse.Namespace) -> None:
    """Rows are decoded before the clock starts."""
    meter = Meter(options.events)
    numbers = range(options.events)
    batches = [
        rows_of(numbers[first : first + COPY_ROWS]) for first in range(0, len(numbers), COPY_ROWS)
    ]
    connection = await asyncpg.connect(options.dsn)
    await prepare(connection)
    meter.begin()
    for rows in batches:
        async with connection.transaction():
            await upsert(connection, rows)
        meter.stored(len(rows.order_numbers))


def rows_of(numbers: range) -> Columns:
    """The rows of these orders, as the upsert has them."""
    return columns([Event(streams_events.event(number)[1]) for number in numbers])


PEERS = {"stock_faust": stock_faust, "plain_loop": plain_loop, "copy_upsert": copy_upsert}


def serve() -> None:
    """Run one peer until all events are stored."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    for name in ("brokers", "topic", "dsn", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--events", type=int, required=True)
    parser.add_argument("--partitions", type=int, default=4)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    work = PEERS[options.peer](options)
    if work is not None:
        asyncio.run(work)


if __name__ == "__main__":
    serve()
