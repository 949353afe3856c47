"""Sends events to Kafka and waits until it has them all. Starts when Kafka does, however late.

Not here: which events may be sent (`hub_api.intake`).
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.domain import telling, tracing
from hub.errors import HubError
from hub.settings import Settings
from hub_api.limits import (
    BODY_BYTES_MAX,
    KAFKA_SEND_TIMEOUT_S,
    KAFKA_START_TIMEOUT_S,
    KAFKA_STOP_TIMEOUT_S,
    READY_TIMEOUT_S,
)

# Requests that come right after a failed one don't each wait for the same timeout.
REST_AFTER_FAILURE_S = 1.0
BATCH_BYTES = 256 * 1024
HEADERS = (("content-type", b"application/cloudevents+json"),)
_log = structlog.get_logger(__name__)


class KafkaAwayError(HubError):
    """Kafka did not confirm in time."""


@dataclass(frozen=True, slots=True)
class Record:
    """What one event is to Kafka."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = HEADERS


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


class Sender(Protocol):
    """Takes records for Kafka; tests have one of their own."""

    async def send(self, records: Sequence[Record]) -> list[Position]:
        """Where each record stands, once Kafka has all. KafkaAwayError: any number may be in."""
        ...

    async def check(self) -> None:
        """KafkaAwayError if Kafka does not answer now."""
        ...

    async def close(self) -> None:
        """Let go of Kafka."""
        ...


class KafkaSender:
    """A `Sender` on one idempotent producer, replaced whenever it fails."""

    def __init__(self, settings: Settings) -> None:
        self._brokers = settings.brokers
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._rests_until = 0.0
        self._dropped: set[asyncio.Task[None]] = set()

    async def send(self, records: Sequence[Record]) -> list[Position]:
        """See `Sender.send`; takes at most KAFKA_SEND_TIMEOUT_S."""
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(KAFKA_SEND_TIMEOUT_S):
                producer = await self._running()
                return await _send_all(producer, records)
        except (KafkaError, OSError, TimeoutError) as error:
            self._give_up(producer, error)
            raise KafkaAwayError(where=type(error).__name__) from error

    async def check(self) -> None:
        """Ask the broker for its metadata."""
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                producer = await self._running()
                if not await producer.client.force_metadata_update():
                    raise KafkaAwayError("Kafka does not answer")
        except (KafkaError, OSError, TimeoutError) as error:
            raise KafkaAwayError("Kafka does not answer", where=type(error).__name__) from error

    async def close(self) -> None:
        """End the producer and those that were replaced."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)
        if self._dropped:
            await asyncio.wait(self._dropped, timeout=KAFKA_STOP_TIMEOUT_S)

    async def _running(self) -> AIOKafkaProducer:
        """The producer, started if it was not."""
        if self._producer is not None:
            return self._producer
        if time.monotonic() < self._rests_until:
            raise KafkaAwayError("Kafka did not answer a moment ago")
        async with self._starting:
            if self._producer is None:
                self._producer = await self._start()
            return self._producer

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            client_id="hub_api",
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=BATCH_BYTES,
            max_request_size=BODY_BYTES_MAX,
            request_timeout_ms=int(KAFKA_SEND_TIMEOUT_S * 1000),
        )
        try:
            await asyncio.wait_for(producer.start(), KAFKA_START_TIMEOUT_S)
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self._rests_until = time.monotonic() + REST_AFTER_FAILURE_S
            self._drop(producer)
            raise
        _log.info("kafka_producer_started")
        return producer

    def _give_up(self, producer: AIOKafkaProducer | None, error: Exception) -> None:
        """Replace a producer that failed: it may never recover, and would keep what it holds."""
        _log.warning("kafka_send_failed", cause=type(error).__name__)
        self._rests_until = time.monotonic() + REST_AFTER_FAILURE_S
        if producer is not None and producer is self._producer:
            self._producer = None
            self._drop(producer)

    def _drop(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_stop(producer))
        self._dropped.add(task)
        task.add_done_callback(self._dropped.discard)


async def _send_all(producer: AIOKafkaProducer, records: Sequence[Record]) -> list[Position]:
    """Queue the records in order, then wait for all of them.

    The trace is in a header, not in the event: the same event sent again, in another trace, is the
    same to the byte.
    """
    traceparent = tracing.current.get()
    traced = [(telling.TRACEPARENT, traceparent.encode())] if traceparent is not None else []
    sent = [
        await producer.send(
            record.topic, record.value, key=record.key, headers=_headers(record, traced)
        )
        for record in records
    ]
    results = await asyncio.gather(*sent, return_exceptions=True)
    positions: list[Position] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        positions.append(Position(result.topic, result.partition, result.offset))
    return positions


async def _stop(producer: AIOKafkaProducer) -> None:
    """Stop within KAFKA_STOP_TIMEOUT_S; an idempotent producer would flush for ever."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await asyncio.wait_for(producer.stop(), KAFKA_STOP_TIMEOUT_S)
        return
    with contextlib.suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
        await producer._sender.close()  # what `stop` does after the flush that did not end
        await producer.client.close()


def _headers(record: Record, traced: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The record's own; one that is sent again stays in the trace it came in."""
    is_traced = any(name == telling.TRACEPARENT for name, _ in record.headers)
    return [*record.headers, *([] if is_traced else traced)]
