"""The audit: rows that follow one another, which nobody can change unseen."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from hub.store import audit, check, db
from hub.store.audit import Deed
from hub.testing import Database

CHECK = "the_audit_chain_verifies"
WRITERS = 6
EACH = 10


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[db.Connection]:
    connection = await db.connect(database.dsn("writer"))
    yield connection
    await connection.close()


async def _violations(database: Database) -> list[dict]:
    (result,) = await check.run(database.dsn(), [CHECK])
    return result.sample


async def _some(connection: db.Connection) -> None:
    for i in range(5):
        deed = Deed("key:hub_1", "personal.revealed", f"members/{i}", "website", "r", {"n": [i]})
        assert await audit.record(connection, deed) == i + 1


async def test_what_was_recorded_is_told_newest_first_and_verifies(
    database: Database, writer: db.Connection
) -> None:
    assert await _violations(database) == []
    await _some(writer)
    newest, *others = await audit.page(writer)
    assert (newest.seq, newest.deed.object, dict(newest.deed.detail)) == (
        5,
        "members/4",
        {"n": [4]},
    )
    assert len(others) == 4
    assert [one.seq for one in await audit.page(writer, before=4, limit=2)] == [3, 2]
    assert [one.seq for one in await audit.page(writer, text="members/1")] == [2]
    assert len(await audit.page(writer, text="key:hub_1")) == 5
    assert await _violations(database) == []


async def test_a_chain_verifies_whatever_the_time_zone_of_who_reads_it(
    database: Database, writer: db.Connection
) -> None:
    await writer.execute("set time zone 'Asia/Kathmandu'")
    await _some(writer)
    assert await _violations(database) == []


async def test_writers_at_once_make_one_chain(database: Database) -> None:
    async def write(name: int) -> None:
        connection = await db.connect(database.dsn("writer"))
        try:
            for i in range(EACH):
                await audit.record(
                    connection, Deed(f"person:{name}", "login.failed", f"people/{i}")
                )
        finally:
            await connection.close()

    await asyncio.gather(*(write(i) for i in range(WRITERS)))
    connection = await db.connect(database.dsn("writer"))
    assert [one.seq for one in await audit.page(connection)] == [
        *range(WRITERS * EACH, WRITERS * EACH - 50, -1)
    ]
    await connection.close()
    assert await _violations(database) == []


async def test_a_deed_that_is_rolled_back_leaves_no_hole(
    database: Database, writer: db.Connection
) -> None:
    await _some(writer)
    transaction = writer.transaction()
    await transaction.start()
    await audit.record(writer, Deed("person:1", "login.succeeded", "people/1"))
    await transaction.rollback()
    assert await audit.record(writer, Deed("person:1", "login.succeeded", "people/1")) == 6
    assert await _violations(database) == []


@pytest.mark.parametrize(
    "change",
    [
        "insert into hub.audit select * from hub.audit",
        "update hub.audit set actor = 'key:other'",
        "delete from hub.audit",
        "truncate hub.audit",
        "update hub.audit_head set seq = 1",
        "delete from hub.audit_head",
    ],
)
async def test_who_writes_for_the_hub_can_only_add(writer: db.Connection, change: str) -> None:
    await _some(writer)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await writer.execute(change)


@pytest.mark.parametrize(
    "change",
    [
        "update hub.audit set actor = 'key:other' where seq = 2",
        "update hub.audit set at = at - interval '1 microsecond' where seq = 2",
        "update hub.audit set detail = '{}' where seq = 2",
        "update hub.audit set channel = null where seq = 5",
        "delete from hub.audit where seq = 1",
        "delete from hub.audit where seq = 3",
        "delete from hub.audit where seq = 5",
        "delete from hub.audit; delete from hub.audit_head where false",
        "update hub.audit set seq = 9 where seq = 5",
        "delete from hub.audit_head",
    ],
)
async def test_what_even_the_owner_changed_is_found(
    database: Database, writer: db.Connection, change: str
) -> None:
    await _some(writer)
    owner = await asyncpg.connect(database.dsn("owner"))
    await owner.execute(change)
    await owner.close()
    assert await _violations(database) != []


@pytest.mark.parametrize(
    "deed",
    [
        Deed("", "login.failed", "people/1"),
        Deed("a" * 201, "login.failed", "people/1"),
        Deed("person:1", "logged in", "people/1"),
        Deed("person:1", "login.failed", ""),
        Deed("person:1", "login.failed", "people/1", detail={"text": "x" * 20_000}),
    ],
)
async def test_a_deed_without_name_or_bounds_is_not_taken(
    writer: db.Connection, deed: Deed
) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await audit.record(writer, deed)
