"""The same events in any order, repeated, cut into any batches, by two writers at once: one state.

HUB_SEEDS sets how many shuffles are tried, HUB_SEED_FIRST the first of them.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hub.domain import ids
from hub.store import apply, check, db
from hub.store.digest import digest
from hub.store.records import Record
from hub.store.sealing import Vault
from hub.testing import Database
from tests.consistency import any_order_day
from tests.event_maker import record

SEEDS = int(os.environ.get("HUB_SEEDS", "18"))
SEED_FIRST = int(os.environ.get("HUB_SEED_FIRST", "0"))
VARIANTS = int(os.environ.get("HUB_VARIANTS", "6"))
BATCH_EVENTS_MAX = 50
TRIES_MAX = 20
# What a writer tries again, as the transport does: it lost a race and nothing of it is stored.
LOST_RACE = (asyncpg.TransactionRollbackError, asyncpg.UniqueViolationError)


class World:
    """A database that is emptied between two runs, and a writer for each lane."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.vault = Vault(database.settings.secret())
        self._connections: list[db.Connection] = []

    async def open(self) -> None:
        self._connections = [await db.connect(self.database.dsn("writer")) for _ in range(2)]
        owner = await db.connect(self.database.dsn("owner"))
        rows = await owner.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables"
            " where schemaname in ('hub', 'log')"
        )
        self._truncate = "truncate " + ", ".join(row["name"] for row in rows)
        self._owner = owner

    async def close(self) -> None:
        for connection in (*self._connections, self._owner):
            await connection.close()

    async def run(self, lanes: list[list[list[bytes]]]) -> dict[str, str]:
        """Empty the database, store the batches of each lane, one lane a writer; the digest."""
        await self._owner.execute(self._truncate)
        async with asyncio.TaskGroup() as writers:
            for connection, batches in zip(self._connections, lanes, strict=False):
                writers.create_task(self._write(connection, batches))
        return await digest(self._owner)

    async def _write(self, connection: db.Connection, batches: list[list[bytes]]) -> None:
        for batch in batches:
            for _ in range(TRIES_MAX):
                records = [record(body) for body in batch]
                try:
                    async with connection.transaction():
                        await apply.apply(connection, self.vault, records, "test-cluster")
                    break
                except LOST_RACE:
                    continue
            else:
                raise AssertionError("a write lost every race")

    async def rows(self, sql: str) -> list[asyncpg.Record]:
        return await self._owner.fetch(sql)

    async def broken(self) -> dict[str, list[dict[str, object]]]:
        """The invariants that the state breaks, with samples."""
        results = await check.run(self.database.dsn("writer"))
        return {result.name: result.sample for result in results if result.violations}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    opened = World(database)
    await opened.open()
    yield opened
    await opened.close()


def lane_of(one: Record, chance: random.Random, is_keyed: bool) -> int:
    """By entity, as Kafka's keys do it; or at random, as channels without keys would."""
    assert one.event is not None
    return one.event.entity_key[0] % 2 if is_keyed else chance.randrange(2)


def shuffled(bodies: list[bytes], seed: int) -> list[list[list[bytes]]]:
    """The events in a random order, some of them repeated, in batches, for one or two lanes."""
    chance = random.Random(seed)
    repeated = bodies + chance.choices(bodies, k=chance.randrange(len(bodies)))
    chance.shuffle(repeated)
    lanes: list[list[bytes]] = [[], []]
    writers, is_keyed = chance.choice((1, 2)), chance.random() < 0.5
    for body in repeated:
        lanes[lane_of(record(body), chance, is_keyed) if writers == 2 else 0].append(body)
    return [_batches(lane, chance) for lane in lanes]


def _batches(bodies: list[bytes], chance: random.Random) -> list[list[bytes]]:
    batches = []
    largest = chance.choice((1, 5, BATCH_EVENTS_MAX))
    while bodies:
        size = chance.randint(1, largest)
        batches.append(bodies[:size])
        bodies = bodies[size:]
    return batches


def in_time(bodies: list[bytes]) -> list[bytes]:
    def when(body: bytes) -> tuple[object, ids.Key]:
        event = record(body).event
        assert event is not None
        return event.occurred_at, event.key

    return sorted(bodies, key=when)


@pytest.mark.timeout(60 + SEEDS * 30)
async def test_any_order_any_batches_and_two_writers_end_in_the_same_state(world: World) -> None:
    wanted: dict[int, dict[str, str]] = {}
    failures = []
    for seed in range(SEED_FIRST, SEED_FIRST + SEEDS):
        variant = seed % VARIANTS
        bodies = any_order_day.events(variant)
        if variant not in wanted:
            wanted[variant] = await world.run([[in_time(bodies)]])
            assert not (broken := await world.broken()), f"variant {variant}: {broken}"
        found = await world.run(shuffled(bodies, seed))
        differing = [table for table, sum_ in found.items() if sum_ != wanted[variant][table]]
        broken = await world.broken()
        if differing or broken:
            failures.append(f"seed {seed}: {differing} differ, {broken} are broken")
    assert not failures, "\n".join(failures)
