"""The worker's own little HTTP server: `/healthz`, `/readyz`, `/metrics`, on 127.0.0.1.

It lives in the worker's event loop, so an answer says that the loop turns. Not here: what the
numbers are (`streams.transport.state`).
"""

import psutil
from aiohttp import web
from mode import Service
from prometheus_client import Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.transport.state import TransportState

SHUTDOWN_TIMEOUT_S = 0.5


class HealthServer(Service):
    """Serves one worker's state; started and stopped with its app."""

    def __init__(self, state: TransportState, port: int) -> None:
        """Port 0 takes a free one; `port` then tells which."""
        super().__init__()
        self.port = port
        self._state = state
        self._runner: web.AppRunner | None = None
        rss = Gauge(
            "rss_bytes", "Resident memory", namespace="hub_streams", registry=state.metrics.registry
        )
        process = psutil.Process()
        rss.set_function(lambda: process.memory_info().rss)

    async def on_start(self) -> None:
        """Listen; a taken port ends the worker."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def on_stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def _readyz(self, request: web.Request) -> web.Response:
        """200 with the partitions held; 503 with the reasons."""
        problems = self._state.problems()
        assigned = sorted(f"{tp.topic}/{tp.partition}" for tp in self._state.assigned)
        body = {"ok": not problems, "problems": problems, "assigned": assigned}
        return web.json_response(body, status=503 if problems else 200)

    async def _metrics(self, request: web.Request) -> web.Response:
        body = generate_latest(self._state.metrics.registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
