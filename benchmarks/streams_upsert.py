"""The simple upsert: what the transport and its peers are compared by, as a batch handler.

One row an order, with a text key and a copy of the event as jsonb. Not here: the peers
(`benchmarks.streams_peers`), the measuring (`benchmarks.streams`).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

import asyncpg
import orjson
from aiokafka import TopicPartition

from hub.store import offsets
from hub.store.offsets import StoredOffset
from streams.transport.batch import Batch
from streams.transport.connections import Connections

SCHEMA = """
create schema if not exists log;
create table if not exists log.offsets (
    consumer_group text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    cluster_id text not null,
    updated_at timestamptz not null default now(),
    constraint offsets_pk primary key (consumer_group, topic, partition)
);
create table if not exists public.bench_orders (
    order_number text primary key,
    place text not null,
    total_minor bigint not null,
    placed_at timestamptz not null,
    body jsonb not null,
    times_stored int not null default 1
);
"""
RESET = "truncate public.bench_orders; delete from log.offsets where consumer_group = $1"

STAGING = """
create temporary table staging (
    order_number text, place text, total_minor bigint, placed_at text, body text
) on commit delete rows
"""
# Many rows are fastest by COPY; for a few a second trip costs more than arrays.
COPY_ROWS_MIN = 200
ARRAYS = """
unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
    as t (order_number, place, total_minor, placed_at, body)
"""
# `times_stored` shows in the end whether an event counted twice.
UPSERT = """
insert into public.bench_orders as o (order_number, place, total_minor, placed_at, body)
select t.order_number, t.place, t.total_minor, t.placed_at::timestamptz, t.body::jsonb
from {rows}
on conflict (order_number) do update
    set
        place = excluded.place,
        total_minor = excluded.total_minor,
        placed_at = excluded.placed_at,
        body = excluded.body,
        times_stored = o.times_stored + 1
"""


class Columns(NamedTuple):
    """The rows of a batch, by column; of two events of one order the later one counts."""

    order_numbers: list[str]
    places: list[str]
    totals_minor: list[int]
    placed_at: list[str]
    bodies: list[str]


class Valued(Protocol):
    """Anything that holds an event's bytes, as a record does."""

    @property
    def value(self) -> bytes | None:
        """None is a tombstone."""
        ...


def columns(records: Iterable[Valued]) -> Columns:
    """Decode the records' values; tombstones are left out."""
    found = Columns([], [], [], [], [])
    for record in records:
        value = record.value
        if value is None:
            continue
        event = orjson.loads(value)
        data = event["data"]
        found.order_numbers.append(data["order_number"])
        found.places.append(data["place"])
        found.totals_minor.append(int(data["total"].replace(".", "")))
        found.placed_at.append(event["time"])
        found.bodies.append(value.decode())
    if len(set(found.order_numbers)) < len(found.order_numbers):
        return latest(found)
    return found


def latest(rows: Columns) -> Columns:
    """Of several rows of one order the last."""
    last = {number: place for place, number in enumerate(rows.order_numbers)}
    kept = list(last.values())
    return Columns(
        [rows.order_numbers[place] for place in kept],
        [rows.places[place] for place in kept],
        [rows.totals_minor[place] for place in kept],
        [rows.placed_at[place] for place in kept],
        [rows.bodies[place] for place in kept],
    )


class UpsertHandler:
    """Stores each order's latest event."""

    def __init__(self, dsn: str, group: str, connections: int = 3) -> None:
        """One connection for each lane and one to read offsets."""
        self._group = group
        self._connections = Connections(dsn, connections, prepare)

    async def start(self) -> None:
        """Nothing to ready."""

    async def stop(self) -> None:
        """Close the connections."""
        await self._connections.close()

    async def stored_offsets(
        self, tps: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, StoredOffset]:
        """The group's offsets."""
        async with self._connections.reading() as connection:
            return await offsets.load(connection, self._group, tps)

    def decode(self, batch: Batch) -> Columns:
        """The rows of the batch."""
        return columns(batch.records())

    async def store(self, decoded: Columns, batch: Batch) -> None:
        """Rows and offsets in one transaction."""
        async with self._connections.transaction() as connection:
            await upsert(connection, decoded)
            await offsets.advance(connection, self._group, batch.moves, batch.cluster_id)


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the staging table of a new connection."""
    await connection.execute(STAGING)


async def upsert(connection: asyncpg.Connection, rows: Columns) -> None:
    """Write the rows, in the caller's transaction."""
    if len(rows.order_numbers) >= COPY_ROWS_MIN:
        await connection.copy_records_to_table("staging", records=zip(*rows, strict=True))
        await connection.execute(UPSERT.format(rows="staging as t"))
    elif rows.order_numbers:
        await connection.execute(UPSERT.format(rows=ARRAYS), *rows)
