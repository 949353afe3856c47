"""The API on a real broker and a real Postgres, and what the streams would do with its records."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from fastapi import FastAPI

from hub.domain import topics as hub_topics
from hub.local import kafka
from hub.settings import Settings
from hub.store import apply, db, keys, records
from hub.store.keys import NewKey
from hub.store.records import Record
from hub.store.sealing import Vault
from hub.testing import Database
from hub_api.app import create_app
from hub_api.kafka import KafkaSender
from tests.standins.platform import Push

READ_TIMEOUT_S = 15
TOPICS = (*hub_topics.COMMERCE, hub_topics.INBOUND)


@dataclass
class Hub:
    """A running hub: its API, its database, and a reader of the topics."""

    http: httpx.AsyncClient
    app: FastAPI
    admin: dict[str, str]
    connection: asyncpg.Connection
    vault: Vault
    reader: AIOKafkaConsumer
    # Other tests of the run write to the same topics.
    suffix: str = field(default_factory=lambda: uuid4().hex[:8])

    def name(self, channel: str) -> str:
        return f"{channel}-{self.suffix}"

    async def configure(self, channel: str, **said: Any) -> httpx.Response:
        body = {"state": "live", "reason": "a test"} | said
        path = f"/v1/channels/{self.name(channel)}"
        return await self.http.put(path, json=body, headers=self.admin)

    async def push(self, channel: str, shop: str, push: Push) -> httpx.Response:
        path = f"/v1/channels/{self.name(channel)}/webhooks/{shop}"
        given = {"headers": push.headers, "params": push.query, "content": push.body}
        return await self.http.request(push.method, path, **given)

    async def read(self, count: int) -> list[Record]:
        """So many records of this test that Kafka has."""
        found: list[Record] = []
        async with asyncio.timeout(READ_TIMEOUT_S):
            while len(found) < count:
                one = await self.reader.getone()
                if self.suffix.encode() in (one.value or b""):
                    now = datetime.now(UTC)
                    raw = Record(one.topic, one.partition, one.offset, now, one.key, (), one.value)
                    found.append(records.decode(raw, now))
        return found

    async def store(self, taken: list[Record]) -> Any:
        """What a stream worker does with a batch."""
        async with self.connection.transaction():
            return await apply.apply(self.connection, self.vault, taken, "cluster")

    async def rows(self, query: str, *values: object) -> list[Any]:
        return await self.connection.fetch(query, *values)


@pytest.fixture
async def hub(database: Database, broker: Settings) -> AsyncIterator[Hub]:
    with ThreadPoolExecutor(1) as thread:
        thread.submit(kafka.ensure_topics, broker, hub_topics.TOPICS).result()
    connection: Any = await db.connect(database.dsn("owner"))
    token = await keys.create(connection, NewKey("a test", ("admin",)))
    sender = KafkaSender(broker)
    reader = AIOKafkaConsumer(*TOPICS, bootstrap_servers=broker.brokers, fetch_max_wait_ms=20)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        await reader.start()
        stack.push_async_callback(reader.stop)
        for partition in reader.assignment():
            await reader.position(partition)
        # The stand-ins of platforms are on this machine.
        settings = database.settings.model_copy(update={"local_receivers": True})
        app = create_app(settings, sender)
        await stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
        http = await stack.enter_async_context(client)
        headers = {"Authorization": f"Bearer {token}"}
        yield Hub(http, app, headers, connection, Vault(database.settings.secret()), reader)


@pytest.fixture
def changed() -> Callable[[Push], Push]:
    """The push with one byte of its body, or of its query, changed on the way."""

    def change(push: Push) -> Push:
        body = push.body[:-2] + b" " + push.body[-2:]
        if not push.headers or "x-www-form-urlencoded" in str(push.headers):
            body = push.body.replace(b"1", b"2")
        query = {
            name: f"{value}0" if name == "nonce" else value for name, value in push.query.items()
        }
        return Push(body, push.reply, push.headers, query, push.method)

    return change
