"""A dispatcher that a test drives turn by turn, and the servers of those it tells."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

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
        self.more_headers: dict[str, str] = {}
        self.endless_bytes = 0
        self.is_endless = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.arrived.set()
        await self.hangs.wait()
        status = 503 if self.is_away else self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.bodies.append(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.is_endless:
            return await self._endless(request)
        return web.Response(status=status, headers=self.more_headers)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        """A body without an end; how much of it somebody took."""
        answer = web.StreamResponse()
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while True:
                await answer.write(b"x" * 65_536)
                self.endless_bytes += 65_536
        return answer

    def told(self, field: str = "subject") -> list[Any]:
        return [web_json(body)[field] for body in self.bodies]


def web_json(body: bytes) -> dict[str, Any]:
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
