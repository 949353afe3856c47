"""From produced to visible: how long an event takes at an even, low rate, and at what CPU.

An event counts as visible when another connection sees the stored offset pass it: the offset
commits with the data. Producer, observer and worker are three processes; their clocks are one
(CLOCK_MONOTONIC). Not here: throughput (`benchmarks.streams`).
"""

import asyncio
import bisect
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import asyncpg
from aiokafka import AIOKafkaProducer

from benchmarks import streams_events

EVENTS_PER_S = 500
WARM_UP_S = 3.0
LOOK_EVERY_S = 0.0007
SETTLE_S = 1.0
STORED = "select partition, next_offset from log.offsets where consumer_group = $1"


@dataclass(frozen=True)
class Latency:
    """What was seen after warming up."""

    visible_ms: Sequence[float]
    cores: float

    def percentile(self, share: float) -> float:
        """The latency that this share of the events does not exceed."""
        return sorted(self.visible_ms)[int(len(self.visible_ms) * share)]


@dataclass(frozen=True)
class Line:
    """Where events go in, and where they come out."""

    brokers: str
    topic: str
    dsn: str
    group: str


def measure(line: Line, seconds: float, cpu_s: Callable[[], float]) -> Latency:
    """Send for so long; `cpu_s` tells the CPU seconds that the worker has used."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    observer = context.Process(target=observe, args=(line.dsn, line.group, theirs))
    observer.start()
    try:
        ours.recv()  # it looks
        sent, cores = asyncio.run(send(line, seconds, cpu_s))
        ours.send("enough")
        seen: list[tuple[float, int, int]] = ours.recv()
    finally:
        observer.join(timeout=10)
        observer.kill()
    return Latency(visible(sent, seen), cores)


async def send(
    line: Line, seconds: float, cpu_s: Callable[[], float]
) -> tuple[list[tuple[float, int, int]], float]:
    """(when, partition, offset) of each event after the warm-up, and the worker's cores then."""
    producer = AIOKafkaProducer(bootstrap_servers=line.brokers, acks="all", linger_ms=0)
    await producer.start()
    sent, began_at, began_cpu_s = [], 0.0, 0.0
    try:
        async for number in streams_events.ticks(EVENTS_PER_S, WARM_UP_S + seconds):
            if number == int(EVENTS_PER_S * WARM_UP_S):
                began_at, began_cpu_s = time.perf_counter(), cpu_s()
            key, value = streams_events.event(number)
            produced_at = time.perf_counter()
            sent.append((produced_at, await producer.send(line.topic, value, key)))
        cores = (cpu_s() - began_cpu_s) / (time.perf_counter() - began_at)
        await asyncio.sleep(SETTLE_S)
        places = [(at, await future) for at, future in sent if at >= began_at]
        return [(at, place.partition, place.offset) for at, place in places], cores
    finally:
        await producer.stop()


def observe(dsn: str, group: str, line: Connection) -> None:
    """Look at the stored offsets all the time; note each change."""
    asyncio.run(look(dsn, group, line))


async def look(dsn: str, group: str, line: Connection) -> None:
    """Until told that it is enough; answers with (when, partition, next offset)."""
    connection = await asyncpg.connect(dsn)
    stored = await connection.prepare(STORED)
    known: dict[int, int] = {}
    seen = []
    line.send("looking")
    while not line.poll():
        rows = await stored.fetch(group)
        now = time.perf_counter()
        for partition, next_offset in rows:
            if known.get(partition) != next_offset:
                known[partition] = next_offset
                seen.append((now, partition, next_offset))
        await asyncio.sleep(LOOK_EVERY_S)
    await connection.close()
    line.send(seen)


def visible(
    sent: Sequence[tuple[float, int, int]], seen: Sequence[tuple[float, int, int]]
) -> list[float]:
    """Milliseconds from sending each event to the first look that saw its offset passed."""
    passed: dict[int, list[tuple[int, float]]] = {}
    for at, partition, next_offset in seen:
        passed.setdefault(partition, []).append((next_offset, at))
    found = []
    for at, partition, offset in sent:
        looks = passed[partition]
        first = bisect.bisect_left(looks, (offset + 1, 0.0))
        found.append((looks[first][1] - at) * 1000)
    return found
