"""Subscribers are told what concerns them, in order for each object, signed, until they have it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from hub.store import subscriptions
from hub.store.subscriptions import NewSubscription
from hub.testing import free_port
from streams.deliveries.worker import Dispatcher
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

WEB = Shop("web")
AT = "2025-03-01T10:00:00+08:00"


class Receiver:
    """A subscriber's own server: keeps what came, answers as it is told to, then 200."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.is_away = False
        self.hangs = asyncio.Event()
        self.hangs.set()
        self.arrived = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.arrived.set()
        await self.hangs.wait()
        status = 503 if self.is_away else self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:1/inside"})

    def told(self, field: str = "subject") -> list[Any]:
        return [web_json(body)[field] for body in self.bodies]


def web_json(body: bytes) -> dict[str, Any]:
    import json

    return json.loads(body)


async def serve() -> tuple[Receiver, web.AppRunner]:
    port = free_port()
    receiver = Receiver(f"http://127.0.0.1:{port}/hook")
    app = web.Application()
    app.router.add_post("/hook", receiver.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return receiver, runner


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


@pytest.fixture
async def other() -> AsyncIterator[Receiver]:
    found, runner = await serve()
    yield found
    await runner.cleanup()


class Time:
    """What time it is, until it is told to go on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Stage(Dispatcher):
    """A dispatcher that a test drives turn by turn."""

    async def go(self, turns: int = 12) -> None:
        for _ in range(turns):
            self._known_at_s = self._looked_at_s = self._filled_at_s = 0.0
            await self.turn()
            await self.settle()


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def stage(store: Store, clock: Time) -> AsyncIterator[Stage]:
    settings = store.database.settings.model_copy(update={"local_receivers": True})
    found = Stage(settings, clock)
    await found.open()
    await found.go(1)
    yield found
    await found.close()


async def subscribe(store: Store, to: Receiver, *types: str, channel: str | None = None) -> Any:
    new = NewSubscription(channel, "test", types, to.url, has_own_events=channel is not None)
    return await subscriptions.add(store.connection, store.vault, new)


def placed(number: str, minute: float, **more: Any) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    return WEB.body("order.placed", minute, **content, **more)


def paid(number: str, minute: float) -> bytes:
    return WEB.body(
        "order.paid", minute, order_number=number, amount="30.00", currency="CNY", method="card",
        payment_id=f"p-{number}",
    )  # fmt: skip


def counted(quantity: str, minute: float) -> bytes:
    return WEB.body(
        "stock.counted", minute, sku="cake", place="xuhui", quantity=quantity,
        measured_at="2025-03-01T02:00:00Z",
    )  # fmt: skip


async def test_a_subscriber_is_told_each_fact_once_and_can_verify_it(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    _, secret = await subscribe(store, receiver, "order.*")
    await stage.go(1)
    await store.take(placed("1", 0), placed("2", 1))
    await stage.go()
    assert sorted(receiver.told()) == ["1", "2"]
    for body, headers in zip(receiver.bodies, receiver.headers, strict=True):
        assert Webhook(secret).verify(body.decode(), headers)["type"] == "order.placed"


async def test_facts_of_one_order_come_in_their_order_even_if_the_first_has_to_be_sent_again(
    store: Store, stage: Stage, receiver: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [400]
    await store.take(placed("1", 0), paid("1", 1))
    await stage.go()
    assert receiver.told() == []
    clock.ahead = timedelta(seconds=10)
    await stage.go()
    assert receiver.told("type") == ["order.placed", "order.paid"]


async def test_a_target_is_down_for_2_hours_order_is_kept_and_others_are_not_held_up(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver, clock: Time
) -> None:
    await subscribe(store, receiver, "order.*", "stock.changed")
    await subscribe(store, other, "order.*")
    await stage.go(1)
    receiver.is_away = True
    for minute in range(0, 120, 10):
        await store.take(placed(str(minute), minute), counted(str(minute), minute))
        clock.ahead = timedelta(minutes=minute)
        await stage.go(3)
    assert receiver.told() == []
    assert len(other.told()) == 12
    receiver.is_away = False
    clock.ahead = timedelta(minutes=125)
    await stage.go(30)
    orders = [body["subject"] for body in map(web_json, receiver.bodies) if "order" in body["type"]]
    stock = [body["data"] for body in map(web_json, receiver.bodies) if "stock" in body["type"]]
    assert sorted(orders, key=int) == [str(minute) for minute in range(0, 120, 10)]
    # Stale absolute pushes collapse to the newest.
    assert [one["on_hand"] for one in stock] == [stock[-1]["on_hand"]]


async def test_stock_that_changes_while_it_is_told_is_told_again_as_it_then_is(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "stock.changed")
    await stage.go(1)
    await store.take(counted("5", 0))
    receiver.hangs.clear()
    await stage.turn()
    await asyncio.wait_for(receiver.arrived.wait(), 10)
    await store.take(WEB.body("stock.adjusted", 600, sku="cake", place="xuhui", delta="-2"))
    await stage.turn()
    receiver.hangs.set()
    await stage.go()
    assert [web_json(body)["data"]["available"] for body in receiver.bodies] == ["5", "3"]


async def test_a_channel_is_told_nothing_of_another_channels_orders_and_no_echo_of_its_own(
    store: Store, stage: Stage, receiver: Receiver, other: Receiver
) -> None:
    quiet = NewSubscription("web", "no echo", ["*"], receiver.url)
    await subscriptions.add(store.connection, store.vault, quiet)
    await subscribe(store, other, "*", channel="mini-program")
    await stage.go(1)
    await store.take(placed("1", 0))
    await stage.go()
    assert receiver.told() == other.told() == []


async def test_a_receiver_that_is_gone_is_sent_nothing_more(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [410]
    await store.take(placed("1", 0))
    await stage.go()
    await store.take(placed("2", 1))
    await stage.go()
    assert receiver.told() == []
    (only,) = await subscriptions.listed(store.connection, None)
    assert only["state"] == "disabled"


async def test_a_redirect_is_not_followed(store: Store, stage: Stage, receiver: Receiver) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    receiver.statuses = [302]
    await store.take(placed("1", 0))
    await stage.go(3)
    error = await store.value("select last_error from deliveries")
    assert error == "it redirects, and redirects are not followed"


async def test_nothing_of_a_person_is_told_once_the_person_was_erased(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    await subscribe(store, receiver, "*")
    await stage.go(1)
    phone = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
    member = WEB.body("member.registered", 0, account="u1", name="王小明", identifiers=[phone])
    await store.take(member)
    await stage.go()
    assert [body for body in receiver.bodies if "王小明".encode() in body or b"139" in body] == []


async def test_of_two_dispatchers_one_works(store: Store, stage: Stage, clock: Time) -> None:
    second = Stage(stage._settings, clock)
    await second.open()
    try:
        assert not await second._holds()
        assert await stage._holds()
    finally:
        await second.close()


async def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(
    store: Store, stage: Stage, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(store, receiver, "order.*")
    await stage.go(1)
    await store.take(placed("1", 0))

    async def killed(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(stage, "_note", killed)
        await stage.go(2)
    await stage.go(2)
    ids = [headers["webhook-id"] for headers in receiver.headers]
    assert len(ids) > 1
    assert len(set(ids)) == 1


async def test_a_rotated_secret_signs_beside_the_one_before(
    store: Store, stage: Stage, receiver: Receiver
) -> None:
    subscription_id, before = await subscribe(store, receiver, "order.*")
    after = await subscriptions.rotate(store.connection, store.vault, subscription_id)
    await stage.go(1)
    await store.take(placed("1", 0))
    await stage.go()
    for secret in (before, after):
        Webhook(secret).verify(receiver.bodies[0].decode(), receiver.headers[0])
