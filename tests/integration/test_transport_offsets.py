"""Offsets move by compare-and-set with the data; a COMMIT whose reply is lost counts once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from benchmarks import streams_events, streams_upsert
from benchmarks.streams_upsert import UpsertHandler
from hub.store import offsets
from hub.store.offsets import FencedError, StoredOffset
from hub.testing import Database
from streams.transport.batch import Batch, Slice
from streams.transport.connections import Connections
from streams.transport.settling import Settling
from streams.transport.state import TransportState

P0, P1 = TopicPartition("orders", 0), TopicPartition("orders", 1)
GROUP = "group"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database.dsn("writer"))
    yield opened
    await opened.close()


async def test_offsets_begin_move_and_are_read_again(connection: asyncpg.Connection) -> None:
    assert await offsets.load(connection, GROUP, [P0, P1]) == {}
    await offsets.advance(connection, GROUP, {P0: (0, 5)}, "c")
    await offsets.advance(connection, GROUP, {P0: (5, 9), P1: (7, 8)}, "c")
    found = await offsets.load(connection, GROUP, [P0, P1])
    assert found == {P0: StoredOffset(9, "c"), P1: StoredOffset(8, "c")}


async def test_groups_do_not_see_each_other(connection: asyncpg.Connection) -> None:
    await offsets.advance(connection, GROUP, {P0: (0, 5)}, "c")
    assert await offsets.load(connection, "another", [P0]) == {}


@pytest.mark.parametrize("moves", [{P0: (4, 9)}, {P0: (6, 9)}, {P0: (0, 5)}, {P0: (9, 9)}])
async def test_an_offset_that_is_elsewhere_is_a_fence(
    connection: asyncpg.Connection, moves: dict[TopicPartition, tuple[int, int]]
) -> None:
    await offsets.advance(connection, GROUP, {P0: (0, 5)}, "c")
    with pytest.raises(FencedError, match="orders/0"):
        await offsets.advance(connection, GROUP, moves, "c")


async def test_one_stale_partition_rolls_all_of_a_batch_back(
    connection: asyncpg.Connection,
) -> None:
    await offsets.advance(connection, GROUP, {P0: (0, 5)}, "c")
    with pytest.raises(FencedError):
        async with connection.transaction():
            await offsets.advance(connection, GROUP, {P0: (0, 9), P1: (0, 9)}, "c")
    assert await offsets.load(connection, GROUP, [P0, P1]) == {P0: StoredOffset(5, "c")}


async def test_of_two_workers_with_the_same_batch_one_is_fenced(database: Database) -> None:
    connections = Connections(database.dsn("writer"), 2)

    async def store() -> bool:
        try:
            async with connections.transaction() as connection:
                await offsets.advance(connection, GROUP, {P0: (0, 5)}, "c")
                await asyncio.sleep(0.05)
        except FencedError:
            return False
        return True

    assert sorted(await asyncio.gather(store(), store())) == [False, True]
    await connections.close()


async def test_a_connection_is_kept_after_success_and_dropped_after_an_error(
    database: Database,
) -> None:
    connections = Connections(database.dsn("writer"), 1)

    async def backend() -> int | None:
        async with connections.transaction() as connection:
            return await connection.fetchval("select pg_backend_pid()")

    first = await backend()
    assert await backend() == first
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with connections.transaction() as connection:
            await connection.execute("select 1 / 0")
    second = await backend()
    assert second != first
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), connections.transaction() as connection:
            await connection.execute("select pg_sleep(5)")
    assert await backend() != second
    await connections.close()


class LossyProxy:
    """Stands before Postgres; cuts the line at a COMMIT, before or after it is carried out."""

    def __init__(self, port: int, is_carried_out: bool) -> None:
        self._port = port
        self._is_carried_out = is_carried_out
        self.cuts_left = 1
        self._served: list[asyncio.Task[Any]] = []

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await asyncio.gather(*self._served)
        await asyncio.sleep(0.05)  # aborted lines close in the next turns of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served.append(asyncio.current_task() or asyncio.create_task(asyncio.sleep(0)))
        above, up = await asyncio.open_connection("127.0.0.1", self._port)
        answers = asyncio.create_task(self._copy(above, writer))
        while data := await reader.read(65536):
            if self.cuts_left and data.startswith(b"Q") and b"commit" in data:
                self.cuts_left -= 1
                answers.cancel()
                await asyncio.wait([answers])
                if self._is_carried_out:
                    up.write(data)
                    await above.read(65536)
                break
            up.write(data)
        answers.cancel()
        writer.transport.abort()
        up.transport.abort()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)


@pytest.mark.parametrize("is_carried_out", [True, False])
async def test_a_commit_whose_reply_is_lost_counts_once(
    database: Database, is_carried_out: bool
) -> None:
    direct = await asyncpg.connect(database.dsn("owner"))
    await direct.execute(streams_upsert.SCHEMA)
    port = database.settings.postgres_port
    proxy = LossyProxy(port, is_carried_out)
    dsn = database.dsn("owner").replace(f":{port}/", f":{await proxy.start()}/")
    handler = UpsertHandler(dsn, GROUP)
    batch = Batch((Slice(P0, [order(number) for number in range(3)], 0, 3),), "c")

    await Settling(handler, TransportState(), "lane 0").store(handler.decode(batch), batch)

    assert proxy.cuts_left == 0
    rows = await direct.fetch("select times_stored from bench_orders")
    assert [row["times_stored"] for row in rows] == [1, 1, 1]
    assert await offsets.load(direct, GROUP, [P0]) == {P0: StoredOffset(3, "c")}
    await handler.stop()
    await proxy.stop()
    await direct.close()


def order(number: int) -> ConsumerRecord[bytes, bytes]:
    key, value = streams_events.event(number)
    return ConsumerRecord("orders", 0, number, 0, 0, key, value, None, 9, len(value), ())
