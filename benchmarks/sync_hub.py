"""The processes of a hub for the benchmark of sync: API, one stream worker, the delivery worker.

Not here: what is measured on them (`benchmarks.sync`).
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil
from aiokafka import AIOKafkaProducer

from benchmarks.commands_callers import counted
from hub.domain.topics import INVENTORY
from hub.local import kafka
from hub.settings import Settings
from hub.store import db, keys
from hub.store.keys import NewKey
from hub.testing import free_port

READY_TIMEOUT_S = 60.0
STOCK = "100000"


@dataclass
class Hub:
    """The running processes by name, and where the API answers."""

    settings: Settings
    url: str
    running: dict[str, subprocess.Popen[bytes]]

    @property
    def events_url(self) -> str:
        """Where the website posts."""
        return f"{self.url}/v1/channels/website/events"

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds that each process has used up to now."""
        return {
            name: sum(psutil.Process(process.pid).cpu_times()[:2])
            for name, process in self.running.items()
        }

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A client with the website's key; connections stay open, as a shop's do."""
        connection = await db.connect(self.settings.dsn("owner"))
        token = await keys.create(connection, NewKey("the website", ("events:write",), "website"))
        await connection.close()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        # The API closes what was idle for 5 s.
        connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=3)
        async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
            yield session

    async def stock(self, skus: list[str]) -> None:
        """Count all these items, and wait until the hub has it."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.brokers, acks="all")
        await producer.start()
        for sku in skus:
            await producer.send(INVENTORY, counted(sku, STOCK), sku.encode())
        await producer.flush()
        await producer.stop()
        connection = await db.connect(self.settings.dsn("owner"))
        deadline = time.monotonic() + READY_TIMEOUT_S
        while await connection.fetchval("select count(*) from stock_positions") != len(skus):
            if time.monotonic() > deadline:
                raise TimeoutError("the hub has not taken the stock")
            await asyncio.sleep(0.1)
        await connection.close()

    async def subscribe(self, session: aiohttp.ClientSession, target: str) -> str:
        """The mini-program subscribes to stock: the secret it verifies by."""
        connection = await db.connect(self.settings.dsn("owner"))
        scopes = ("subscriptions:write",)
        token = await keys.create(connection, NewKey("mini", scopes, "mini-program"))
        await connection.close()
        wanted = {"label": "stock", "types": ["stock.changed"], "target_url": target}
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self.url}/v1/subscriptions"
        async with session.post(url, json=wanted, headers=headers) as answer:
            if answer.status != 201:
                raise AssertionError(await answer.text())
            return (await answer.json())["secret"]


@contextlib.contextmanager
def processes(settings: Settings, folder: Path) -> Iterator[Hub]:
    """Start all three; end them, whatever happens."""
    kafka.ensure_topics(settings)
    port = free_port()
    commands = {
        "worker": ("-m", "streams.worker"),
        "deliveries": ("-m", "streams.deliveries"),
        "api": (
            *("-m", "uvicorn", "--factory", "hub_api.app:create_app", "--no-access-log"),
            *("--log-level", "warning", "--port", str(port)),
        ),
    }
    hub = Hub(settings, f"http://127.0.0.1:{port}", {})
    pages = (
        f"{hub.url}/readyz",
        f"http://127.0.0.1:{settings.worker_port(0)}/readyz",
        f"http://127.0.0.1:{settings.deliveries_port}/healthz",
    )
    try:
        for name, arguments in commands.items():
            with (folder / f"{name}.log").open("wb") as log:
                hub.running[name] = subprocess.Popen(
                    [sys.executable, *arguments],
                    env=os.environ | settings.environment(),
                    stdout=log,
                    stderr=log,
                )
        for page in pages:
            _wait_until_ready(page)
        yield hub
    finally:
        for process in hub.running.values():
            process.terminate()
        for process in hub.running.values():
            process.wait(timeout=30)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
