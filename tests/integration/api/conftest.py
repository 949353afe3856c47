"""The API's app on a real Postgres, with a Kafka of our own making, and callers with keys."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

import hub
from hub.store import apply, db, keys
from hub.store.keys import NewKey
from hub.store.sealing import Vault
from hub.testing import Database
from hub_api.app import create_app
from hub_api.kafka import KafkaAwayError, Position, Record
from tests.event_maker import record

ROOT = Path(hub.__file__).parent.parent
START_TIMEOUT_S = 30
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"


class FakeSender:
    """Kafka as the API sees it: keeps what it is sent, and is away when told so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.is_away = False
        self.is_closed = False

    async def send(self, records: Sequence[Record]) -> list[Position]:
        await self.check()
        start = len(self.records)
        self.records += records
        return [Position(record.topic, 0, start + i) for i, record in enumerate(records)]

    async def check(self) -> None:
        if self.is_away:
            raise KafkaAwayError("Kafka does not answer")

    async def close(self) -> None:
        self.is_closed = True


@dataclass
class Api:
    """A running API, its port and where its log is."""

    port: int
    process: asyncio.subprocess.Process
    log: Path

    async def say(self, request: bytes, *, end: bool = False, timeout_s: float = 15) -> bytes:
        """What it answers to these bytes until it closes, or falls silent for a second."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        await writer.drain()
        if end:
            writer.write_eof()
        answer = b""
        try:
            while chunk := await asyncio.wait_for(reader.read(65536), 1.0 if answer else timeout_s):
                answer += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        return answer


@pytest.fixture
def brokers(free_port: Callable[[], int]) -> str:
    """Where the process looks for Kafka: nobody answers there, unless a module says otherwise."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
async def api(
    database: Database, free_port: Callable[[], int], brokers: str, tmp_path: Path
) -> AsyncIterator[Api]:
    """The API as a process of its own."""
    port = free_port()
    settings = database.settings.model_copy(update={"kafka_brokers": brokers})
    log = tmp_path / "api.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uvicorn", "--factory", "hub_api.app:create_app"),
            *("--port", str(port), "--no-access-log"),
            cwd=ROOT,
            env=os.environ | settings.environment(),
            stdout=output,
            stderr=output,
        )
    running = Api(port, process, log)
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                assert process.returncode is None, log.read_text()
                with contextlib.suppress(ConnectionError):
                    if b"200 OK" in await running.say(
                        b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n"
                    ):
                        break
                await asyncio.sleep(0.1)
        yield running
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 10)
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection that may put rows where the streams would."""
    connection: Any = await db.connect(database.dsn("owner"))
    yield connection
    await connection.close()


@pytest.fixture
async def http(database: Database, sender: FakeSender) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key, of an app that runs."""
    app = create_app(database.settings, sender)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
            yield client


@pytest.fixture
def take(writer: asyncpg.Connection, database: Database) -> Callable[..., Awaitable[None]]:
    """`await take(body, ...)`: store events as the streams do, in one write."""

    async def taken(*bodies: bytes) -> None:
        vault = Vault(database.settings.secret())
        async with writer.transaction():
            await apply.apply(writer, vault, [record(body) for body in bodies], "cluster")

    return taken


@pytest.fixture
def key_for(writer: asyncpg.Connection) -> Callable[..., Awaitable[dict[str, str]]]:
    """`await key_for("website", "orders:read")`: the headers of a new key."""

    async def make(channel: str | None, *scopes: str) -> dict[str, str]:
        token = await keys.create(writer, NewKey("a test", scopes, channel))
        return {"Authorization": f"Bearer {token}"}

    return make


@pytest.fixture
async def poster(key_for: Callable[..., Awaitable[dict[str, str]]]) -> dict[str, str]:
    """The headers of the website's key for posting events."""
    return await key_for("website", "events:write")


def an_event(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    """A correct event of the website; `data` replaces the order's."""
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/channels/website/shops/main",
        "type": "order.placed",
        "time": "2025-03-01T10:15:00+08:00",
        "subject": f"W-{event_id}",
        "data": {
            "order_number": f"W-{event_id}",
            "currency": "CNY",
            "lines": [
                {
                    "line": "1",
                    "sku": "CAKE-6",
                    "quantity": "1",
                    "unit_price": "168.00",
                    "amount": "168.00",
                }
            ],
            "total": "168.00",
        },
    }
    return event | changes


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """`event("e1", type="order.paid", data={...})`: a correct event, changed."""
    return an_event
