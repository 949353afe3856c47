"""A channel's own server, as a process: verifies what it is told, and keeps stock of its own.

It can be told to lose a share of what comes: half of those it refuses, with the other half it hangs
up. Not here: what is measured (`benchmarks.sync`).
"""

import asyncio
import multiprocessing
import random
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import orjson
import psutil
from aiohttp import web
from standardwebhooks import Webhook

START_TIMEOUT_S = 30.0
ASK_TIMEOUT_S = 30.0
Position = tuple[str, str]


@dataclass
class Seen:
    """What the receiver knows. arrived_at: by message id, the first time it was taken."""

    arrived_at: dict[str, float] = field(default_factory=dict)
    stock: dict[Position, tuple[int, str, str]] = field(default_factory=dict)
    taken: int = 0
    lost: int = 0
    unsigned: int = 0


class Receiver:
    """Starts the process and asks it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook"
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_run, args=(port, theirs), daemon=True)

    def __enter__(self) -> "Receiver":
        self._process.start()
        self._ask("hello", START_TIMEOUT_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join(5)

    def expect(self, secret: str) -> None:
        """Verify by this secret from now on."""
        self._ask({"secret": secret})

    def lose(self, share: float) -> None:
        """Lose so much of what comes from now on."""
        self._ask({"lose": share})

    def cpu_s(self) -> float:
        """CPU seconds that it has used up to now."""
        return sum(psutil.Process(self._process.pid).cpu_times()[:2])

    def seen(self) -> Seen:
        """All that it knows."""
        return self._ask("seen")

    def _ask(self, what: Any, timeout_s: float = ASK_TIMEOUT_S) -> Any:
        self._pipe.send(what)
        if not self._pipe.poll(timeout_s):
            raise TimeoutError("the receiver does not answer")
        return self._pipe.recv()


def _run(port: int, pipe: Connection) -> None:
    asyncio.run(_Server(pipe).run(port))


class _Server:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._seen = Seen()
        self._webhook: Webhook | None = None
        self._lose = 0.0
        self._chance = random.Random(7)

    async def run(self, port: int) -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        asyncio.get_running_loop().add_reader(self._pipe.fileno(), self._answer)
        await asyncio.Event().wait()

    def _answer(self) -> None:
        asked = self._pipe.recv()
        if isinstance(asked, dict) and "secret" in asked:
            self._webhook = Webhook(asked["secret"])
        if isinstance(asked, dict) and "lose" in asked:
            self._lose = asked["lose"]
        self._pipe.send(self._seen if asked == "seen" else "done")

    async def _take(self, request: web.Request) -> web.Response:
        arrived_at = time.time()
        body = await request.read()
        if self._chance.random() < self._lose:
            self._seen.lost += 1
            if self._chance.random() < 0.5 and request.transport is not None:
                request.transport.close()
            return web.Response(status=500)
        try:
            assert self._webhook is not None
            self._webhook.verify(body, dict(request.headers))
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not the hub's
            self._seen.unsigned += 1
            return web.Response(status=401)
        self._keep(orjson.loads(body)["data"])
        self._seen.taken += 1
        self._seen.arrived_at.setdefault(request.headers["webhook-id"], arrived_at)
        return web.Response(status=204)

    def _keep(self, data: dict[str, str]) -> None:
        at, version = (data["sku"], data["place"]), int(data["version"])
        known = self._seen.stock.get(at)
        if known is None or known[0] < version:
            self._seen.stock[at] = (version, data["on_hand"], data["available"])
