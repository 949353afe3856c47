"""Dead letters: kept as they came, redriven as they came."""

from typing import Any

import pytest

from hub.domain import ids
from hub.store import dead_letters
from hub.store.records import HEADERS_MAX
from tests.event_maker import Shop, at, record
from tests.integration.store.stage import Store

TOPIC = "commerce.orders.v1"
LATER = 60 * 24 * 60
"""In two months; of minutes."""
NO_UTF8 = b'{"id": "\xff\xfe", "phone": "13912345678"}'


class Broker:
    """Stands in for Kafka: keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, list[tuple[str, bytes]]]] = []
        self.is_down = False

    async def send(self, *sent: Any) -> None:
        if self.is_down:
            raise ConnectionError("broker is away")
        self.sent.append(sent)  # type: ignore[arg-type]


async def keys(store: Store) -> list[bytes]:
    rows = await store.rows("select dead_letter_id from log.dead_letters order by kafka_offset")
    return [row["dead_letter_id"] for row in rows]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "envelope_invalid"),
        (None, "tombstone"),
        (NO_UTF8, "envelope_invalid"),
        (b"\x00\x01\x02", "envelope_invalid"),
        (b"x" * 10 * 1024 * 1024, "too_large"),
        (Shop().body("order.exploded", 1), "type_unknown"),
    ],
)
async def test_a_bad_record_is_kept_with_its_bytes_and_the_reason(
    store: Store, body: bytes | None, reason: str
) -> None:
    tally = await store.take(record(body, topic=TOPIC, key=b"k\xff", headers=[("h", b"v")]))
    assert (tally.dead_letters, tally.events) == (1, 1)
    (letter_id,) = await keys(store)
    letter = await dead_letters.show(store.connection, store.vault, letter_id)
    assert letter["body"] == body
    assert letter["kafka_key"] == b"k\xff"
    assert letter["headers"] == [["h", "v"]]
    assert (letter["reason_code"], letter["topic"]) == (reason, TOPIC)


async def test_a_poison_record_does_not_hold_back_the_others(store: Store) -> None:
    shop = Shop()
    good = [shop.body("item.upserted", 1, sku=f"s-{n}", name="Cake") for n in range(3)]
    tally = await store.take(good[0], record(b"poison", topic=TOPIC), *good[1:])
    assert (tally.applied, tally.dead_letters) == (3, 1)


@pytest.mark.parametrize(
    "headers",
    [
        [(f"h{number}", b"x") for number in range(1_000)],
        [("h", b"\xff\x00\xfe")],
        [("h\x00", b"x")],
        [("h", None)],
        [("h", b"x" * 100_000)],
        [("ce_specversion", b"1.0"), ("ce_id", None)],
    ],
)
async def test_headers_of_any_kind_are_kept_within_bounds(
    store: Store, headers: list[tuple[str, bytes | None]]
) -> None:
    assert (await store.take(record(b"poison", topic=TOPIC, headers=headers))).dead_letters == 1
    kept = await store.value("select headers from log.dead_letters")
    assert 1 <= len(kept) <= HEADERS_MAX


async def test_a_reason_that_quotes_nul_can_be_kept(store: Store) -> None:
    body = Shop().body("order.a\x00b", 1)
    assert (await store.take(record(body, topic=TOPIC))).dead_letters == 1
    assert "\\0" in await store.value("select reason from log.dead_letters")


async def test_nobody_reads_a_dead_letters_body_in_the_table(store: Store) -> None:
    await store.take(record(NO_UTF8, topic=TOPIC))
    assert b"13912345678" not in await store.value("select body from log.dead_letters")


async def test_a_redriven_letter_is_sent_as_it_came_and_ends_as_if_it_never_failed(
    store: Store,
) -> None:
    body = Shop().body("item.upserted", LATER, sku="cake", name="Cake")
    # It came from a clock two months ahead; by now its time has passed.
    await store.take(record(body, topic="commerce.catalog.v1", key=b"k", headers=[("h", b"v")]))
    assert await store.value("select reason_code from log.dead_letters") == "time_out_of_range"
    broker = Broker()
    sent = await dead_letters.redrive(
        store.connection, store.vault, await keys(store), broker.send, "somebody"
    )
    assert sent == 1
    assert broker.sent == [("commerce.catalog.v1", b"k", body, [("h", b"v")])]
    letter = await store.row("select state, redriven_by from log.dead_letters")
    assert letter == {"state": "redriven", "redriven_by": "somebody"}

    assert (await store.take(record(body, now=at(LATER)))).applied == 1
    assert await store.value("select name from items") == "Cake"


async def test_a_letter_is_redriven_once_and_stays_open_while_the_broker_is_away(
    store: Store,
) -> None:
    await store.take(record(b"poison", topic=TOPIC))
    broker = Broker()
    broker.is_down = True
    drive = (store.connection, store.vault, await keys(store), broker.send, "somebody")
    with pytest.raises(ConnectionError):
        await dead_letters.redrive(*drive)
    assert len(await dead_letters.page(store.connection)) == 1
    broker.is_down = False
    assert await dead_letters.redrive(*drive) == 1
    assert await dead_letters.redrive(*drive) == 0
    assert await dead_letters.page(store.connection) == []
    assert len(await dead_letters.page(store.connection, "redriven")) == 1


async def test_an_unknown_letter_is_said_to_be_unknown(store: Store) -> None:
    unknown = ids.dead_letter_id("t", 0, 0, "c")
    with pytest.raises(dead_letters.UnknownDeadLetter):
        await dead_letters.show(store.connection, store.vault, unknown)
