"""kill -9 of the delivery worker between sending and noting: everything is told, in order."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from hub.settings import Settings
from hub.store import apply, db, subscriptions
from hub.store.sealing import Vault
from hub.store.subscriptions import NewSubscription
from hub.testing import Database, free_port
from tests.consistency.delivery_process import DEADLINE_S, DeliveryProcess
from tests.event_maker import Shop, line, record

ORDERS = 40
KILL_AT = (10, 45)
"""At which requests the worker that sent them dies before it hears the answer."""


class Killer:
    """A receiver that kills who tells it, now and then, before it answers."""

    def __init__(self, workers: list[DeliveryProcess]) -> None:
        self.workers = workers
        self.told: list[tuple[str, str, str]] = []
        """(message id, order, type) in the order they came."""
        self.kills = 0

    async def answer(self, request: web.Request) -> web.Response:
        said = json.loads(await request.read())
        self.told.append((request.headers["webhook-id"], said["subject"], said["type"]))
        if self.kills < len(KILL_AT) and len(self.told) >= KILL_AT[self.kills]:
            working = self.workers[self.kills % len(self.workers)]
            self.kills += 1
            os.kill(working.pid, signal.SIGKILL)
        return web.Response()


@pytest.fixture
async def killer(
    database: Database, broker: Settings, tmp_path: Path
) -> AsyncIterator[tuple[Killer, str]]:
    more = {"local_receivers": True, "kafka_brokers": f"127.0.0.1:{free_port()}"}
    settings = database.settings.model_copy(update=more)
    workers = [
        DeliveryProcess(
            settings.model_copy(update={"deliveries_port": free_port()}), tmp_path / f"{name}.log"
        )
        for name in ("first", "second")
    ]
    found = Killer(workers)
    app = web.Application()
    app.router.add_post("/hook", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield found, f"http://127.0.0.1:{port}/hook"
    for worker in workers:
        worker.kill()
    await runner.cleanup()


def facts() -> list[bytes]:
    shop = Shop("web")
    told = []
    for number in range(ORDERS):
        cake = line(1, "cake", 1, "30.00")
        order: dict[str, Any] = {"order_number": str(number), "currency": "CNY"}
        told.append(shop.body("order.placed", 0, **order, lines=[cake], total="30.00"))
        payment = {"amount": "30.00", "method": "card", "payment_id": f"p-{number}"}
        told.append(shop.body("order.paid", 1, **order, **payment))
    return told


async def test_killed_between_sending_and_noting_with_another_waiting(
    database: Database, killer: tuple[Killer, str]
) -> None:
    receiver, url = killer
    first, second = receiver.workers
    connection: Any = await db.connect(database.dsn("writer"))
    vault = Vault(database.settings.secret())
    new = NewSubscription(None, "test", ["order.*"], url)
    await subscriptions.add(connection, vault, new)
    first.start()
    await first.wait_until(lambda said: said["is_working"])
    second.start()
    await second.wait_until(lambda said: not said["is_working"])
    bodies = facts()
    for at in range(0, len(bodies), 4):
        async with connection.transaction():
            told = [record(body) for body in bodies[at : at + 4]]
            await apply.apply(connection, vault, told, "cluster")
        await asyncio.sleep(0.01)
    deadline = time.monotonic() + DEADLINE_S
    waiting = "select count(*) from deliveries where state = 'waiting'"
    count = "select count(*) from deliveries"
    while await connection.fetchval(count) < 2 * ORDERS or await connection.fetchval(waiting):
        assert time.monotonic() < deadline, receiver.kills
        if receiver.kills == len(KILL_AT) and await first.health() is None:
            first.start()  # what a supervisor does
            await first.wait_until(bool)
        await asyncio.sleep(0.05)
    await connection.close()
    assert receiver.kills == len(KILL_AT)
    ids = {(order, kind): {m for m, o, k in receiver.told if (o, k) == (order, kind)}
           for _, order, kind in receiver.told}  # fmt: skip
    assert len(ids) == 2 * ORDERS
    # What came again came under the same id.
    assert all(len(messages) == 1 for messages in ids.values())
    assert len(receiver.told) >= 2 * ORDERS
    order_of_first = {key: at for at, key in reversed(list(enumerate(
        (order, kind) for _, order, kind in receiver.told)))}  # fmt: skip
    for number in range(ORDERS):
        placed, paid = (str(number), "order.placed"), (str(number), "order.paid")
        assert order_of_first[placed] < order_of_first[paid]
