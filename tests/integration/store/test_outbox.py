"""Whoever follows the outbox sees each fact once, in order, and no person it may not see."""

import asyncio
from typing import Any

import msgspec
import pytest

from hub.domain import ids
from hub.store import db, outbox
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

WEB = Shop("web")
ALIKE, SETTLES_S = 3, 0.02
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}


def placed(number: str, minute: float, **more: Any) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    return WEB.body("order.placed", minute, **content, **more)


def registered(account: str, minute: float) -> bytes:
    return WEB.body(
        "member.registered", minute, account=account, name="王小明", identifiers=[PHONE]
    )


async def read(store: Store, limit: int = 100, reader: str = "rules", **more: Any) -> outbox.Batch:
    """What there is to read, once that is settled: a transaction of another test's database that
    ends at this moment counts as one that may still add to it."""
    before = await outbox.read(store.connection, store.vault, reader, limit, **more)
    alike = 0
    while alike < ALIKE:
        await asyncio.sleep(SETTLES_S)
        batch = await outbox.read(store.connection, store.vault, reader, limit, **more)
        alike = alike + 1 if batch.until == before.until else 0
        before = batch
    return before


async def test_each_reader_has_a_place_of_its_own(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await outbox.register(store.connection, "kafka")
    await store.take(placed("1", 0), placed("2", 1), placed("3", 2))
    first = await read(store, limit=2)
    await outbox.advance(store.connection, first)
    await outbox.register(store.connection, "rules")
    second = await read(store)
    other = await read(store, reader="kafka")
    assert [fact.subject for fact in first.facts] == ["1", "2"]
    assert [fact.subject for fact in second.facts] == ["3"]
    assert [fact.subject for fact in other.facts] == ["1", "2", "3"]


async def test_a_fact_tells_what_happened_where_and_to_what(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(placed("1", 0))
    (fact,) = (await read(store)).facts
    assert (fact.type, fact.channel, fact.shop) == ("order.placed", "web", "1")
    assert (fact.entity_kind, fact.source) == ("order", "/channels/web/shops/1")
    assert fact.data is not None
    assert fact.data["total"] == "30.00"


async def test_a_write_that_commits_late_is_not_passed_by(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    slow = await db.connect(store.database.dsn("writer"))
    late = Store(store.database, slow)
    transaction = slow.transaction()
    await transaction.start()
    try:
        await slow.fetchval("select pg_current_xact_id()")
        await store.take(placed("1", 0))
        assert (await read(store)).facts == []
        async with slow.transaction():
            await late.take(placed("2", 1))
        await transaction.commit()
        batch = await read(store)
    finally:
        await slow.close()
    assert [fact.subject for fact in batch.facts] == ["2", "1"]


async def test_a_long_build_of_marts_holds_no_reader_back(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    build = await db.connect(store.database.dsn("dbt"))
    try:
        async with build.transaction():
            await build.fetchval("select pg_current_xact_id()")
            await store.take(placed("1", 0))
            assert [fact.subject for fact in (await read(store)).facts] == ["1"]
    finally:
        await build.close()


async def test_of_two_processes_of_one_reader_the_second_is_refused(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(placed("1", 0))
    mine, theirs = await read(store), await read(store)
    await outbox.advance(store.connection, theirs)
    with pytest.raises(outbox.ReaderMoved):
        await outbox.advance(store.connection, mine)


async def test_one_process_holds_a_reader_until_its_connection_ends(store: Store) -> None:
    other = await db.connect(store.database.dsn("writer"))
    assert await outbox.try_hold(other, "kafka")
    assert not await outbox.try_hold(store.connection, "kafka")
    assert await outbox.try_hold(store.connection, "rules")
    await other.close()


async def test_what_is_undone_is_read_again_with_the_same_ids(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(placed("1", 0), placed("2", 1))
    transaction = store.connection.transaction()
    await transaction.start()
    before = await read(store)
    await outbox.advance(store.connection, before)
    await transaction.rollback()
    assert await read(store) == before


async def test_a_reader_moves_behind_those_facts_that_it_is_done_with(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(placed("1", 0), placed("2", 1))
    await outbox.advance(store.connection, await read(store), count=1)
    assert [fact.subject for fact in (await read(store)).facts] == ["2"]


async def test_a_reader_from_now_on_is_told_what_comes_after(store: Store) -> None:
    await store.take(placed("1", 0))
    await outbox.register(store.connection, "rules", is_from_now=True)
    await store.take(placed("2", 1))
    # A transaction of another database that still ran may have it begin a little earlier.
    assert [fact.subject for fact in (await read(store)).facts][-1] == "2"


async def test_personal_data_is_for_readers_that_may_see_it(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(registered("u1", 0))
    (masked,) = (await read(store)).facts
    (whole,) = (await read(store, sees_personal=True)).facts
    assert (masked.data, masked.subject) == (None, None)
    assert whole.data is not None
    assert whole.data["name"] == "王小明"


async def test_who_was_erased_stays_erased_in_facts(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    await store.take(registered("u1", 0))
    await store.take(WEB.decision("member.erased", 5, account="u1", reason="asked for it"))
    facts = (await read(store, sees_personal=True)).facts
    assert "王小明" not in str(facts)
    assert [fact.type for fact in facts] == ["member.registered", "member.erased"]


async def test_nobody_reads_by_an_unknown_name(store: Store) -> None:
    with pytest.raises(outbox.NoSuchReader):
        await read(store)


async def told(store: Store) -> list[dict[str, Any]]:
    await read(store, reader="kafka")
    batch = await outbox.read_told(store.connection, store.vault, "kafka")
    return [msgspec.json.decode(msgspec.json.encode(fact.said)) for fact in batch.facts]


async def test_a_fact_is_told_as_it_came_with_the_hubs_names_beside_it(store: Store) -> None:
    await outbox.register(store.connection, "kafka")
    body = placed("1", 0)
    await store.take(body)
    (said,) = await told(store)
    named = ("entitykind", "entityid", "hubposition", "subject")
    more = {name: said.pop(name) for name in named}
    assert said == msgspec.json.decode(body)
    assert more["subject"] == "1"
    assert more["entitykind"] == "order"
    assert ids.parse(more["entityid"]) == ids.order_id("web", "1", "1")


async def test_of_a_person_is_told_that_it_happened_and_no_more(store: Store) -> None:
    await outbox.register(store.connection, "kafka")
    recipient = {"name": "王小明", "phone": "139 1234 5678"}
    await store.take(registered("u1", 0), placed("1", 1, recipient=recipient))
    member, order = await told(store)
    assert "data" not in member
    assert "subject" not in member
    assert member["type"] == "member.registered"
    assert order["data"]["total"] == "30.00"
    assert "王小明" not in str((member, order))
    assert "recipient" not in order["data"]


async def test_who_was_erased_is_still_a_fact_without_a_name(store: Store) -> None:
    await outbox.register(store.connection, "kafka")
    await store.take(registered("u1", 0))
    await store.take(WEB.decision("member.erased", 5, account="u1", reason="asked for it"))
    assert [said["type"] for said in await told(store)] == ["member.registered", "member.erased"]
    assert "王小明" not in str(await told(store))


async def test_a_teller_of_facts_holds_no_reader_back(store: Store) -> None:
    await outbox.register(store.connection, "rules")
    teller = await db.connect(store.database.dsn("writer"), application="hub deliveries")
    try:
        async with teller.transaction():
            await teller.fetchval("select pg_current_xact_id()")
            await store.take(placed("1", 0))
            assert [fact.subject for fact in (await read(store)).facts] == ["1"]
    finally:
        await teller.close()
