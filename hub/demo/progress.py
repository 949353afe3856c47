"""How far the hub is: what it has applied of what Kafka has, and what became of it."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from hub.domain import topics
from hub.errors import ServiceFailedError, UnreachableError
from hub.settings import Settings

POLL_S = 0.25
CONNECT_TIMEOUT_S = 10
REQUEST_TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class Outcomes:
    """What became of the channels' events since a moment, and how often the hub itself decided."""

    applied: int
    ignored: int
    parked: int
    dead_letters: int
    duplicates: int
    decisions: int


def connect(settings: Settings) -> psycopg.Connection[Any]:
    """A reading connection in autocommit."""
    return psycopg.connect(
        settings.dsn("reader"), autocommit=True, connect_timeout=CONNECT_TIMEOUT_S
    )


def now(settings: Settings) -> datetime:
    """The database's clock."""
    with connect(settings) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def wait_applied(settings: Settings, stalled_after_s: float) -> None:
    """Wait until every record that Kafka has now is behind the stored offsets.

    Raises if nothing moves for `stalled_after_s`. A server that is away for a while is waited for.
    """
    ends = asyncio.run(_ends(settings.brokers, stalled_after_s))
    left, moved_at = -1, time.monotonic()
    while True:
        try:
            still = _left(settings, ends)
        except psycopg.OperationalError:
            still = left
        if still == 0:
            return
        if still != left:
            left, moved_at = still, time.monotonic()
        elif time.monotonic() - moved_at > stalled_after_s:
            raise ServiceFailedError(
                f"the workers stand still with {left} events to go", mend="see the workers' logs"
            )
        time.sleep(POLL_S)


def _left(settings: Settings, ends: dict[TopicPartition, int]) -> int:
    with connect(settings) as connection:
        rows = connection.execute(
            "select topic, partition, max(next_offset) from log.offsets group by 1, 2"
        ).fetchall()
    stored = {TopicPartition(topic, partition): offset for topic, partition, offset in rows}
    return sum(max(end - stored.get(tp, 0), 0) for tp, end in ends.items())


async def _ends(brokers: str, patience_s: float) -> dict[TopicPartition, int]:
    """The end of each partition that the workers read."""
    gives_up_at = time.monotonic() + patience_s
    while True:
        # Without a group it is assigned all partitions, which is how we learn of them.
        consumer = AIOKafkaConsumer(
            *topics.COMMERCE, bootstrap_servers=brokers, request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            await consumer.start()
            found = await consumer.end_offsets(consumer.assignment())
            if {tp.topic for tp in found} == set(topics.COMMERCE):
                return found
        except KafkaError:
            pass  # the broker may be on its way back
        finally:
            await consumer.stop()
        if time.monotonic() > gives_up_at:
            raise UnreachableError("Kafka does not tell where its topics end", where=brokers)
        await asyncio.sleep(POLL_S)


def outcomes(settings: Settings, since: datetime) -> Outcomes:
    """What became of what was received since then."""
    with connect(settings) as connection:
        counted = dict(
            connection.execute(
                "select case when e.source = '/hub' then 'decided' else i.outcome end, count(*)"
                " from log.inbox as i join log.events as e on i.event_key = e.event_key"
                " where i.received_at >= %s group by 1",
                [since],
            ).fetchall()
        )
        dead = connection.execute(
            "select count(*) from log.dead_letters where received_at >= %s", [since]
        ).fetchone()
        twice = connection.execute(
            "select coalesce(sum(duplicates), 0) from log.writes where written_at >= %s", [since]
        ).fetchone()
    assert dead is not None
    assert twice is not None
    return Outcomes(
        counted.get("applied", 0),
        counted.get("ignored", 0),
        counted.get("parked", 0),
        int(dead[0]),
        int(twice[0]),
        counted.get("decided", 0),
    )
