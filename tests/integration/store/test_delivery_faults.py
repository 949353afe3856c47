"""What receivers may do: nothing of it delays others, reaches inside, or takes our memory."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from hub import outward
from hub.outward import PublicResolver
from hub.store import deliveries, subscriptions
from hub.store.subscriptions import NewSubscription
from streams.deliveries.sender import READ_BYTES_MAX, Sender
from tests.integration.store.delivery_stage import (
    WEB,
    Receiver,
    Stage,
    Time,
    counted,
    paid,
    placed,
    subscribe,
)
from tests.integration.store.stage import Store


async def until_told(stage: Stage, receiver: Receiver, count: int) -> None:
    """Turn by turn, without waiting for what is on its way."""
    async with asyncio.timeout(15):
        while len(receiver.bodies) < count:
            stage._known_at_s = stage._looked_at_s = 0.0
            await stage.turn()
            await asyncio.sleep(0.01)


async def test_a_receiver_that_hangs_delays_nobody_else(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await subscribe(store, other, "order.*")
    await stage.go(1)
    receiver.hangs.clear()
    await store.take(*(placed(str(number), number) for number in range(20)))
    await until_told(stage, other, 20)
    assert receiver.bodies == []
    receiver.hangs.set()
    await until_told(stage, receiver, 20)


async def test_a_receiver_that_never_answers_is_away_and_is_told_why(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await stage._sender.close()
    stage._sender = Sender(is_local_allowed=True, timeout_s=0.2)
    await stage._sender.open()
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.hangs.clear()
    await store.take(placed("1", 0), placed("2", 0), placed("3", 0))
    await stage.go(3)
    receiver.hangs.set()
    row = await store.row("select failures, resumes_at from access.subscriptions")
    assert row["failures"] >= 1
    errors = await store.rows("select distinct last_error from deliveries")
    assert [row["last_error"] for row in errors] == ["no answer within 0 s"]


async def test_a_receiver_that_stumbles_once_is_told_all_else_meanwhile(
    store: Store, stage: Stage, receiver: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [500]
    await store.take(placed("1", 0), paid("1", 1))
    await stage.go(2)
    await store.take(placed("2", 2), placed("3", 3))
    await stage.go()
    clock.ahead = timedelta(seconds=3)
    await stage.go()
    assert sorted(receiver.told()[:2]) == ["2", "3"]
    assert receiver.told("type")[2:] == ["order.placed", "order.paid"]


async def test_who_asks_for_a_pause_by_429_gets_it(
    store: Store, stage: Stage, receiver: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses, receiver.more_headers = [429], {"Retry-After": "120"}
    await store.take(placed("1", 0))
    await stage.go(2)
    await store.take(placed("2", 1))
    clock.ahead = timedelta(seconds=110)
    await stage.go()
    assert receiver.told() == []
    clock.ahead = timedelta(seconds=121)
    await stage.go()
    assert sorted(receiver.told()) == ["1", "2"]


async def test_a_redirect_to_a_private_address_is_not_followed(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses, receiver.more_headers = [302], {"Location": other.url}
    await store.take(placed("1", 0))
    await stage.go(3)
    assert other.bodies == receiver.bodies == []
    error = await store.value("select last_error from deliveries")
    assert error == "it redirects, and redirects are not followed"


async def test_of_an_answer_without_end_only_its_beginning_is_read(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.is_endless = True
    began = time.monotonic()
    await store.take(placed("1", 0))
    await stage.go(3)
    assert await store.value("select state from deliveries") == "delivered"
    assert time.monotonic() - began < 10
    # What the sockets hold was sent before it was known that nobody reads it.
    assert receiver.endless_bytes < 16 * 1024 * 1024
    assert READ_BYTES_MAX < 10_000


class Names(AbstractResolver):
    """What a name resolves to, which may change."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        made = {"hostname": host, "host": self.address, "port": port, "family": family}
        return [ResolveResult(**made, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@pytest.fixture
async def rebinding(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Names, Sender]]:
    """Here 127.0.0.1 counts as public, since no test may leave this machine."""
    monkeypatch.setattr(outward, "is_public", lambda address: str(address) == "127.0.0.1")
    names = Names("127.0.0.1")
    sender = Sender(is_local_allowed=True, names=PublicResolver(names))
    await sender.open()
    yield names, sender
    await sender.close()


async def test_a_name_that_moves_to_a_private_address_is_refused_at_the_next_connection(
    receiver: Receiver, rebinding: tuple[Names, Sender]
) -> None:
    names, sender = rebinding
    port = urlsplit(receiver.url).port
    url = f"http://shop.example:{port}/hook"
    said: dict[str, Any] = {"data": {}}
    assert (await sender.send(url, (), said, "msg_1")).status == 200
    names.address = "127.0.0.2"
    # The open connection leads where it led: an address that was checked.
    assert (await sender.send(url, (), said, "msg_2")).status == 200
    assert names.asked == 1
    await sender.close()
    await sender.open()
    refused = await sender.send(url, (), said, "msg_3")
    assert refused.status is None
    assert "public address" in str(refused.error)
    assert len(receiver.bodies) == 2


async def test_two_dispatchers_at_once_tell_each_thing_once(
    store: Store, stage: Stage, clock: Time, receiver: Receiver
) -> None:
    second = Stage(stage._settings, clock)
    await second.open()
    try:
        await subscribe(store, receiver, "order.*")
        await stage.go(1)
        assert not await second._holds()
        await store.take(*(placed(str(number), number) for number in range(10)))
        await stage.go()
        assert not await second._holds()
        assert sorted(receiver.told(), key=int) == [str(number) for number in range(10)]
        await stage._let_go()
        async with asyncio.timeout(10):
            while not await second._holds():  # noqa: ASYNC110 - asks Postgres
                await asyncio.sleep(0.05)
        await store.take(placed("10", 10))
        await second.go()
        assert receiver.told()[-1] == "10"
        assert len(receiver.bodies) == 11
    finally:
        await second.close()


async def test_one_that_lost_its_place_to_another_notes_nothing(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    await store.connection.execute(
        "update outbox_readers set outbox_id = outbox_id + 1 where reader = 'deliveries'"
    )
    await store.take(placed("1", 0))
    with pytest.raises(deliveries.ReaderMoved):
        await stage.turn()
    assert await store.value("select count(*) from deliveries") == 0


async def test_a_paused_subscription_is_told_later_what_came_meanwhile(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    subscription_id, _ = await subscribe(store, receiver, "order.*")
    await subscriptions.set_state(store.connection, subscription_id, "paused", "")
    await stage.go(1)
    await store.take(placed("1", 0))
    await stage.go()
    assert receiver.bodies == []
    await subscriptions.set_state(store.connection, subscription_id, "active", "")
    await stage.go()
    assert receiver.told() == ["1"]


def channel(state: str, minute: float) -> bytes:
    said = {"kind": "channel", "name": "web", "reason": "a test", "published_by": "me"}
    document = {"pack": "website", "state": state}
    return WEB.decision(
        "config.published", minute, **said, document=document, version=int(minute) + 10_000,
        valid_from=datetime(2026, 3, 1, tzinfo=UTC).isoformat(),
    )  # fmt: skip


async def test_a_channel_in_shadow_is_sent_nothing_and_shows_what_it_would_be_sent(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "order.*", "stock.changed", channel="web")
    await store.take(channel("shadow", 0))
    await stage.go(1)
    await store.take(placed("1", 1), counted("5", 1))
    await stage.go()
    await store.take(counted("4", 2))
    await stage.go()
    assert receiver.bodies == []
    rows = await store.rows("select delivery_id, type, state from deliveries order by seq")
    # Stock would be told once, as it is.
    assert [(row["type"], row["state"]) for row in rows] == [
        ("order.placed", "shadow"),
        ("stock.changed", "shadow"),
    ]
    await store.take(channel("live", 3))
    await stage.go()
    assert receiver.bodies == []
    await store.take(placed("2", 4))
    await stage.go()
    assert "2" in receiver.told()
    assert "1" not in receiver.told()


async def test_a_receiver_that_begins_is_told_all_stock_once(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await store.take(counted("5", 1), WEB.body(
        "stock.counted", 1, sku="candle", place="xuhui", quantity="9",
        measured_at="2025-03-01T02:00:00Z",
    ))  # fmt: skip
    await stage.go(2)
    subscription_id, _ = await subscribe(store, receiver, "stock.changed")
    await stage.go(2)
    assert receiver.bodies == []
    (to,) = await subscriptions.active(store.connection, store.vault)
    assert to.subscription_id == subscription_id
    assert await deliveries.resync(store.connection, to) == 2
    await deliveries.resync(store.connection, to)
    await stage.go()
    assert sorted(receiver.told()) == ["cake", "candle"]


async def test_deliveries_that_ended_long_ago_are_forgotten(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    new = NewSubscription(None, "test", ["order.*"], receiver.url)
    await subscriptions.add(store.connection, store.vault, new)
    await stage.go(1)
    await store.take(placed("1", 0), placed("2", 0), placed("3", 0))
    receiver.statuses = [200, 200, 400]
    await stage.go(3)
    now = datetime.now(UTC)
    assert await deliveries.forget(store.connection, now - timedelta(minutes=5)) == 0
    assert await deliveries.forget(store.connection, now + timedelta(minutes=5), limit=1) == 1
    assert await deliveries.forget(store.connection, now + timedelta(minutes=5)) == 1
    (left,) = await store.rows("select state from deliveries")
    assert left["state"] == "waiting"
    assert await store.value("select count(*) from delivery_attempts") == 1
