"""The hub's batch handler: decode records, store them with their offsets in one transaction.

It only carries. What events mean is decided in `hub.domain`, what is written is in `hub.store`.
"""

import gc
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import asyncpg
from aiokafka import TopicPartition

from hub.settings import Settings
from hub.store import apply, db, offsets, writes
from hub.store.offsets import StoredOffset
from hub.store.records import Record, decode, from_milliseconds
from hub.store.sealing import Vault
from hub.store.waking import Ringer
from streams.transport.batch import Batch
from streams.transport.config import StreamConfig
from streams.transport.connections import Connections

GROUP = "hub-streams"
GC_THRESHOLDS = (100_000, 50, 100)


class HubHandler:
    """Takes all commerce topics into log and state."""

    def __init__(
        self, settings: Settings, worker: str = "0", writers: int = StreamConfig.writers
    ) -> None:
        self._vault = Vault(settings.secret())
        self._worker = worker
        self._connections = Connections(settings.dsn("writer"), writers + 1, _set_up)
        self._ringer = Ringer(settings.dsn("writer"))

    async def start(self) -> None:
        # A batch is many objects and no cycles: to look for cycles often took a fifth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        async with self._connections.reading() as connection:
            await connection.fetchval("select 1 from log.offsets limit 1")
        self._ringer.start()

    async def stop(self) -> None:
        await self._ringer.stop()
        await self._connections.close()

    async def stored_offsets(
        self, tps: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, StoredOffset]:
        async with self._connections.reading() as connection:
            return await offsets.load(connection, GROUP, tps)

    def decode(self, batch: Batch) -> list[Record]:
        """All records, each with its event or the reason why it has none."""
        now = datetime.now(UTC)
        return [
            decode(
                Record(
                    record.topic,
                    record.partition,
                    record.offset,
                    from_milliseconds(record.timestamp),
                    record.key,
                    record.headers,
                    record.value,
                ),
                now,
            )
            for record in batch.records()
        ]

    async def store(self, decoded: Sequence[Record], batch: Batch) -> None:
        """One transaction: offsets first, so that a fenced worker does no work."""
        started = time.perf_counter()
        async with self._connections.transaction() as connection:
            await offsets.advance(connection, GROUP, batch.moves, batch.cluster_id)
            tally = await apply.apply(connection, self._vault, decoded, batch.cluster_id)
            await writes.note(
                connection, self._worker, decoded, tally, (time.perf_counter() - started) * 1000
            )
        self._ringer.ring()


async def _set_up(connection: asyncpg.Connection) -> None:
    await connection.execute("set search_path to hub")
    await db.prepare(connection)
