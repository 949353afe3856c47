"""Producing records to Kafka: idempotent, acknowledged by all, at a settable pace.

A record is reported as produced only when Kafka has it. When the broker is away the feed waits and
goes on; the same record sent twice is the same event, which the hub knows how to take.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.demo.envelope import Record
from hub.errors import UnreachableError

IN_FLIGHT_MAX = 1_000
"""Records sent and not yet acknowledged: bounds memory, and what is sent again after an outage."""
LINGER_MS = 5
BATCH_BYTES = 256 * 1024
REQUEST_TIMEOUT_MS = 20_000
OUTAGE_S_MAX = 120
"""So long the feed waits for a broker that is away before it gives up."""
RETRY_EVERY_S = 0.5


@dataclass(frozen=True)
class Pace:
    """How fast to feed: events a second, or times the events' own time; both None: no limit."""

    events_per_s: float | None = None
    times_real: float | None = None


@dataclass
class Fed:
    """What was produced."""

    events: int = 0
    seconds: float = 0.0
    by_topic: Counter[str] = field(default_factory=Counter)


async def feed(
    brokers: str,
    records: Iterable[Record],
    pace: Pace | None = None,
    on_progress: Callable[[int], Awaitable[None]] | None = None,
) -> Fed:
    """Produce every record; returns when Kafka has them all.

    on_progress: awaited after each chunk with the number produced so far.
    """
    pace = pace or Pace()
    fed, started = Fed(), time.monotonic()
    producer = await _start_producer(brokers)
    try:
        chunk: list[Record] = []
        clock = _Clock(pace, started)
        for record in records:
            due = clock.due(record)
            if len(chunk) == IN_FLIGHT_MAX or (chunk and due > time.monotonic()):
                producer = await _produce(producer, brokers, chunk, fed)
                chunk = []
                if on_progress is not None:
                    await on_progress(fed.events)
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            chunk.append(record)
        producer = await _produce(producer, brokers, chunk, fed)
    finally:
        await _stop(producer)
    fed.seconds = time.monotonic() - started
    return fed


class _Clock:
    """When each record is due, on the monotonic clock."""

    def __init__(self, pace: Pace, started: float) -> None:
        self._pace = pace
        self._started = started
        self._first_at_s: int | None = None
        self._count = 0

    def due(self, record: Record) -> float:
        pace = self._pace
        if pace.events_per_s:
            self._count += 1
            return self._started + (self._count - 1) / pace.events_per_s
        if pace.times_real:
            if self._first_at_s is None:
                self._first_at_s = record.at_s
            return self._started + (record.at_s - self._first_at_s) / pace.times_real
        return 0.0


async def _produce(
    producer: AIOKafkaProducer, brokers: str, chunk: list[Record], fed: Fed
) -> AIOKafkaProducer:
    """Send a chunk and wait for all acknowledgements; sends again what an outage left open.

    Returns the producer to go on with: after a failure it is a new one.
    """
    left = chunk
    gives_up_at = time.monotonic() + OUTAGE_S_MAX
    while left:
        try:
            sent = [await producer.send(r.topic, r.value, r.key) for r in left]
            answers = await asyncio.gather(*sent, return_exceptions=True)
            left = [r for r, a in zip(left, answers, strict=True) if isinstance(a, BaseException)]
        except KafkaError:
            pass
        if left:
            if time.monotonic() > gives_up_at:
                raise UnreachableError(f"Kafka took no events for {OUTAGE_S_MAX} s", where=brokers)
            await _stop(producer)
            producer = await _start_producer(brokers)
    fed.events += len(chunk)
    fed.by_topic.update(record.topic for record in chunk)
    return producer


async def _start_producer(brokers: str) -> AIOKafkaProducer:
    gives_up_at = time.monotonic() + OUTAGE_S_MAX
    while True:
        producer = AIOKafkaProducer(
            bootstrap_servers=brokers,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            linger_ms=LINGER_MS,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await producer.start()
        except KafkaError as error:
            await _stop(producer)
            if time.monotonic() > gives_up_at:
                raise UnreachableError("Kafka does not answer", where=brokers) from error
            await asyncio.sleep(RETRY_EVERY_S)
        else:
            return producer


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop without waiting longer than a request may take."""
    try:
        await asyncio.wait_for(producer.stop(), REQUEST_TIMEOUT_MS / 1000)
    except (TimeoutError, KafkaError):
        return
