"""A stream worker for tests: it keeps each record as it came, and breaks on demand.

`--drop-every N` loses every Nth fetch between the client and the hand-off, as a rebalance does;
`--stall-after N` stops fetching for good after N fetches, as a client may after a broker's
restart; `--slow-write-s S` makes each write last.
"""

import argparse
import asyncio
import logging
import sys
from typing import Any

import orjson

import streams.watchdog
from benchmarks.streams_upsert import UpsertHandler
from hub.store import offsets
from streams.transport.batch import Batch
from streams.transport.config import StreamConfig
from streams.transport.connections import Connections
from streams.transport.thread import FetchThread
from streams.worker import LOG_FORMAT, run

RECORDS = """
create table if not exists public.records (
    topic text, partition int, kafka_offset bigint, key bytea, value bytea, headers jsonb,
    constraint records_pk primary key (topic, partition, kafka_offset)
)
"""
INSERT = """
insert into public.records
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::bytea[], $5::bytea[], $6::jsonb[])
"""


class RecordingHandler(UpsertHandler):
    """Keeps every record; a record stored twice breaks the primary key."""

    def __init__(self, dsn: str, group: str, slow_write_s: float) -> None:
        super().__init__(dsn, group)
        self._own = Connections(dsn, 3)
        self._slow_write_s = slow_write_s

    async def start(self) -> None:
        async with self._own.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock(7)")
            await connection.execute(RECORDS)

    def decode(self, batch: Batch) -> Any:
        rows = [
            (r.topic, r.partition, r.offset, r.key, r.value, orjson.dumps(headers(r)).decode())
            for r in batch.records()
        ]
        return list(map(list, zip(*rows, strict=True)))

    async def store(self, decoded: Any, batch: Batch) -> None:
        async with self._own.transaction() as connection:
            await connection.execute(INSERT, *decoded)
            await asyncio.sleep(self._slow_write_s)
            await offsets.advance(connection, self._group, batch.moves, batch.cluster_id)


def headers(record: Any) -> list[list[str]]:
    return [[name, value.decode()] for name, value in record.headers]


def break_fetches(drop_every: int, stall_after: int) -> None:
    """Faults between the Kafka client and the transport."""
    fetch, seen = FetchThread.getmany, [0]

    async def broken(self: FetchThread, *args: Any, **kwargs: Any) -> Any:
        records = await fetch(self, *args, **kwargs)
        seen[0] += bool(records)
        if stall_after and seen[0] > stall_after:
            await asyncio.sleep(3600)
        return {} if drop_every and records and seen[0] % drop_every == 0 else records

    FetchThread.getmany = broken


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("brokers", "topics", "dsn", "group", "handler"):
        parser.add_argument(f"--{name}", default="record")
    for name in ("index", "health-port", "drop-every", "stall-after", "writers"):
        parser.add_argument(f"--{name}", type=int, default=0)
    for name in ("session-timeout-s", "slow-write-s", "stall-s"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    break_fetches(given.drop_every, given.stall_after)
    if given.stall_s:
        streams.watchdog.STALL_S = given.stall_s
    config = StreamConfig(
        group=given.group,
        brokers=given.brokers,
        topics=tuple(given.topics.split(",")),
        index=given.index,
        poll_records=200,
        write_records=100,
        writers=given.writers or 2,
        session_timeout_s=given.session_timeout_s,
        health_port=given.health_port,
    )
    if given.handler == "record":
        run(config, RecordingHandler(given.dsn, given.group, given.slow_write_s))
    run(config, UpsertHandler(given.dsn, given.group))


if __name__ == "__main__":
    main()
