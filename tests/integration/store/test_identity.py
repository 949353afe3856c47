"""What makes two records the same event, and what an id that is used twice comes to."""

import json

from hub.store.records import Record, Tally
from tests.event_maker import Shop, record
from tests.integration.store.stage import Store

SHOP = Shop()


def named(event_id: str, name: str) -> bytes:
    return SHOP.body("item.upserted", 1, event_id=event_id, sku="cake", name=name)


def turned(body: bytes) -> bytes:
    """The same content with its fields the other way round, and with spaces."""

    def turn(value: object) -> object:
        if isinstance(value, dict):
            return {key: turn(value[key]) for key in reversed(value)}
        return value

    return json.dumps(turn(json.loads(body)), indent=2).encode()


async def letters(store: Store) -> list[str]:
    return [row["reason_code"] for row in await store.rows("select * from log.dead_letters")]


async def test_the_same_content_with_its_fields_in_another_order_is_a_repetition(
    store: Store,
) -> None:
    body = named("e", "Cake")
    assert turned(body) != body
    first = await store.take(body, turned(body))
    later = await store.take(turned(body))
    assert (first.applied, first.duplicates, later.duplicates) == (1, 1, 1)
    assert await letters(store) == []


async def test_a_sealed_event_in_another_order_is_a_repetition(store: Store) -> None:
    body = SHOP.body("member.updated", 1, event_id="m", account="a", name="王小明")
    await store.take(body)
    assert (await store.take(turned(body))).duplicates == 1
    assert await letters(store) == []


async def test_a_reused_id_with_other_content_is_a_dead_letter(store: Store) -> None:
    first = await store.take(named("e", "Cake"), named("e", "Bread"))
    later = await store.take(named("e", "Tea"))
    assert (first.applied, first.dead_letters, later.dead_letters) == (1, 1, 1)
    assert await letters(store) == ["id_reused", "id_reused"]
    assert await store.value("select name from items") == "Cake"
    letter = await store.row("select distinct source, event_id, type, field from log.dead_letters")
    assert letter == {
        "source": "/channels/web/shops/1",
        "event_id": "e",
        "type": "item.upserted",
        "field": "$.id",
    }


async def test_the_same_id_of_another_shop_is_another_event(store: Store) -> None:
    other = Shop("web", "2").body("item.upserted", 2, event_id="e", sku="cake", name="Bread")
    tally = await store.take(named("e", "Cake"), other)
    assert (tally.applied, tally.dead_letters) == (2, 0)


async def take_further_down(store: Store, one: Record, calls: int) -> Tally:
    """Where records are stored, the stack may be deeper than where they were decoded."""
    if calls == 0:
        return await store.take(one)
    return await take_further_down(store, one, calls - 1)


async def test_a_reused_id_that_nests_without_end_is_a_dead_letter_not_a_crash(
    store: Store,
) -> None:
    body = named("e", "Cake")
    await store.take(body)

    def nested(depth: int) -> bytes:
        return body[:-2] + b', "x": ' + b"[" * depth + b"]" * depth + b"}}"

    # The deepest that is read as an event is too deep to be compared further down the stack.
    deepest = next(d for d in range(2_000, 0, -1) if record(nested(d)).bad is None)
    assert deepest > 100
    for depth in (100, deepest - 5, deepest):
        assert (await take_further_down(store, record(nested(depth)), 20)).dead_letters == 1
    assert await letters(store) == ["id_reused"] * 3


async def test_a_record_read_again_after_a_crash_changes_nothing(store: Store) -> None:
    """The same record at the same place, good or bad, as it comes when offsets were lost."""
    good, bad = record(named("e", "Cake"), offset=7), record(b"no json", offset=8, topic="t")
    await store.take(good, bad)
    before = await store.everything()
    await store.take(record(named("e", "Cake"), offset=7), record(b"no json", offset=8, topic="t"))
    assert await store.everything() == before
    assert len(await letters(store)) == 1
