"""Follows the outbox and sends each fact to the topic `hub.facts.v1`.

It has a reader of its own, whose place moves once Kafka has confirmed (`acks=all`): after a crash
facts come again, with the same `source`, `id` and `hubposition`, and none is missing. Facts of one
entity have one key, hence one partition, in which each comes after those before it. A fact about a
person says that it happened and to whom by the hub's id, and no more.

It runs in the delivery worker's process: both follow the outbox and mostly wait, and a process of
its own would cost 80 MB. They share no connection, place or lock, so that a Kafka that is away
holds up no delivery. Not here: what a fact says (`hub.store.outbox`).
"""

import asyncio
import contextlib
import logging
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from hub.domain import ids, topics
from hub.settings import Settings
from hub.store import db, outbox
from hub.store.outbox import ReaderMoved, Told
from hub.store.sealing import Vault
from hub.store.waking import Bell

log = logging.getLogger(__name__)

READER = "kafka"
APPLICATION = "hub facts"
"""By this name the outbox knows that the connection writes no facts."""
HEADERS = (("content-type", b"application/cloudevents+json"),)
BATCH_BYTES = 256 * 1024
RECORD_BYTES_MAX = 8 * 1024 * 1024
CUT_ABOVE_BYTES = 1_000_000
"""What any Kafka takes by default is 1,048,588 bytes with the record's own. A fact above this goes
without its data, marked `datacut`; no event that came through the API is so large."""
GAP_S = 0.02
SEND_TIMEOUT_S = 30.0
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
AWAY_S = 1.0
_AWAY = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    KafkaError,
    ReaderMoved,
    OSError,
    TimeoutError,
)


class Publisher:
    """One of all publishers works at a time; another waits for its place."""

    def __init__(self, settings: Settings, topic: str = topics.FACTS) -> None:
        self._settings = settings
        self._topic = topic
        self._vault = Vault(settings.secret())
        self._holder: db.Connection | None = None
        self._producer: AIOKafkaProducer | None = None
        self._bell = Bell()
        self.published = 0
        self.is_working = False
        self.trouble: str | None = None

    async def run(self) -> None:
        """Work until cancelled; what Postgres or Kafka does not allow now is tried again."""
        while True:
            try:
                did = await self.turn()
            except _AWAY as error:
                self.trouble = type(error).__name__
                log.warning("facts wait: %s", self.trouble)
                await self._let_go()
                await asyncio.sleep(AWAY_S)
                continue
            self.trouble = None
            # Nobody waits for this topic within milliseconds: a few facts more go together.
            await asyncio.sleep(GAP_S)
            if not did:
                await self._bell.wait()

    async def turn(self) -> bool:
        """Send what is new, at most a page of it; whether there was anything."""
        if not await self._holds():
            await asyncio.sleep(AWAY_S)
            return False
        assert self._holder is not None
        batch = await outbox.read_told(self._holder, self._vault, READER)
        if batch.until is None:
            return False
        await self._send(batch.facts)
        await outbox.advance(self._holder, batch)
        self.published += len(batch.facts)
        return True

    async def close(self) -> None:
        """Leave the place to others."""
        await self._let_go()

    async def _holds(self) -> bool:
        if self._holder is not None and not self._holder.is_closed():
            return True
        self._holder = await db.connect(self._settings.dsn("writer"), application=APPLICATION)
        # A place that moved back with a crash of the server is only a repetition.
        await self._holder.execute("set synchronous_commit to off")
        await outbox.register(self._holder, READER)
        self.is_working = await outbox.try_hold(self._holder, READER)
        if self.is_working:
            await self._bell.listen(self._holder)
        else:
            await self._let_go()
        return self.is_working

    async def _send(self, facts: list[Told]) -> None:
        """Queue all in their order, and wait until Kafka has them all."""
        producer = await self._running()
        async with asyncio.timeout(SEND_TIMEOUT_S):
            sent = [
                await producer.send(
                    self._topic,
                    record(fact),
                    key=ids.text(fact.entity_key).encode(),
                    headers=list(HEADERS),
                )
                for fact in facts
            ]
            for outcome in await asyncio.gather(*sent, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._settings.brokers,
                client_id="hub-facts",
                acks="all",
                enable_idempotence=True,
                compression_type="lz4",
                max_batch_size=BATCH_BYTES,
                max_request_size=RECORD_BYTES_MAX,
                request_timeout_ms=int(START_TIMEOUT_S * 1000),
            )
            try:
                await asyncio.wait_for(producer.start(), START_TIMEOUT_S)
            except BaseException:
                await stop(producer)
                raise
            self._producer = producer
        return self._producer

    async def _let_go(self) -> None:
        """After a failure nothing is known of either side: begin anew from the stored place."""
        self.is_working = False
        holder, self._holder = self._holder, None
        producer, self._producer = self._producer, None
        if holder is not None:
            holder.terminate()
        if producer is not None:
            await stop(producer)


def record(fact: Told) -> bytes:
    """What Kafka is told of a fact."""
    body = msgspec.json.encode(fact.said)
    if len(body) <= CUT_ABOVE_BYTES:
        return body
    said: dict[str, Any] = {name: value for name, value in fact.said.items() if name != "data"}
    return msgspec.json.encode(said | {"datacut": True})


async def stop(producer: AIOKafkaProducer) -> None:
    """Stop within STOP_TIMEOUT_S; an idempotent producer would flush for ever."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        await asyncio.wait_for(producer.stop(), STOP_TIMEOUT_S)
        return
    with contextlib.suppress(KafkaError, OSError, TimeoutError, asyncio.CancelledError):
        await producer._sender.close()  # what `stop` does after the flush that did not end
        await producer.client.close()
