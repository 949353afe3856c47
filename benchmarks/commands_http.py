"""Reservations of one hot item through HTTP: two API processes, and its sales at counters besides.

Counter sales are orders that arrive as events through Kafka and a stream worker: they cannot be
refused, so what they take must be missing for the others. Not here: the store's level
(`benchmarks.commands_callers`).
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psycopg
from aiokafka import AIOKafkaProducer

from benchmarks import streams_full
from benchmarks.commands_callers import PLACE, counted
from benchmarks.streams_events import ticks
from hub.domain.topics import INVENTORY, ORDERS
from hub.local import kafka
from hub.settings import Settings
from hub.store import db, keys
from hub.store.keys import NewKey
from hub.testing import free_port

API_PROCESSES = 2
CALLERS = 32
ATTEMPTS = 5_000
COUNTER_SALES = 500
COUNTER_SALES_PER_S = 200
STOCK = 4_000
LOAD_PER_S = 1_500
"""Orders of other items a second, while reservations are timed under stream load."""
TIMED_ATTEMPTS = 1_000
TIMED_PER_S = 50
READY_TIMEOUT_S = 60.0
COUNT = """
select on_hand_milli / 1000, committed_milli / 1000, reserved_milli / 1000
from hub.stock_positions where sku = %s
"""


@dataclass
class Callers:
    """What the callers of one run saw: milliseconds of each answer, and how many by status."""

    urls: list[str]
    token: str
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    async def reserve(self, session: aiohttp.ClientSession, sku: str, number: int) -> None:
        """One attempt to reserve one piece."""
        body = {
            "shop": "main",
            "order_number": f"{sku}-{number}",
            "place": PLACE,
            "items": [{"sku": sku, "quantity": "1"}],
            "ttl_s": 3600,
        }
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": f"{sku}-{number}"}
        began = time.perf_counter()
        url = f"{self.urls[number % len(self.urls)]}/v1/reservations"
        async with session.post(url, data=orjson.dumps(body), headers=headers) as answer:
            await answer.read()
        self.milliseconds.append((time.perf_counter() - began) * 1000)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1

    def p99_ms(self) -> float:
        """What 99 of 100 answers took at most."""
        return sorted(self.milliseconds)[int(len(self.milliseconds) * 0.99)]


def measure(settings: Settings, folder: Path) -> dict[str, float]:
    """All figures of one round."""
    settings = settings.model_copy(update={"port_base": free_port()})
    kafka.ensure_topics(settings)
    with processes(settings, folder) as urls:
        return asyncio.run(_measure(settings, urls))


async def _measure(settings: Settings, urls: list[str]) -> dict[str, float]:
    connection = await db.connect(settings.dsn("owner"))
    scopes = ("reservations:write",)
    token = await keys.create(connection, NewKey("the benchmark", scopes, "website"))
    await connection.close()
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, acks="all", linger_ms=5)
    await producer.start()
    try:
        for sku in ("rush", "idle", "busy"):
            await producer.send_and_wait(INVENTORY, counted(sku, str(STOCK)), sku.encode())
        await asyncio.to_thread(_wait_for_stock, settings, ("rush", "idle", "busy"))
        idle = await _timed(Callers(urls, token), "idle")
        rush = Callers(urls, token)
        sales = asyncio.create_task(_sell_at_counters(producer))
        rate = await _rush(rush)
        await sales
        sold = await asyncio.to_thread(_wait_for_sales, settings)
        load = asyncio.create_task(_load(producer))
        busy = await _timed(Callers(urls, token), "busy")
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
    finally:
        await producer.stop()
    on_hand, committed, reserved = sold
    if rush.statuses.get(201, 0) != reserved or set(rush.statuses) - {201, 409}:
        raise AssertionError(f"answers {rush.statuses}, reserved {reserved}")
    return {
        "http_reservations_per_s": rate,
        "reserve_ms_p99": idle.p99_ms(),
        "reserve_ms_p99_under_stream_load": busy.p99_ms(),
        "oversold": max(0, committed + reserved - on_hand),
        "unsold": max(0, on_hand - committed - reserved),
    }


async def _rush(callers: Callers) -> float:
    """Attempts a second, by CALLERS at once."""
    numbers = iter(range(ATTEMPTS))

    async def call(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            await callers.reserve(session, "rush", number)

    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(call(session) for _ in range(CALLERS)))
    return ATTEMPTS / (time.perf_counter() - began)


async def _timed(callers: Callers, sku: str) -> Callers:
    """Attempts at an even pace, for their latency."""
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        async for number in ticks(TIMED_PER_S, TIMED_ATTEMPTS / TIMED_PER_S):
            tasks.create_task(callers.reserve(session, sku, number))
    return callers


async def _sell_at_counters(producer: AIOKafkaProducer) -> None:
    async for number in ticks(COUNTER_SALES_PER_S, COUNTER_SALES / COUNTER_SALES_PER_S):
        await producer.send(ORDERS, counter_sale(number), f"C{number}".encode())


async def _load(producer: AIOKafkaProducer) -> None:
    began, number = time.perf_counter(), 0
    while True:
        await asyncio.sleep(max(0.0, began + number / LOAD_PER_S - time.perf_counter()))
        for _ in range(LOAD_PER_S // 100):
            key, body = streams_full.event(number)
            await producer.send(ORDERS, body, key)
            number += 1


def counter_sale(number: int) -> bytes:
    """An order of one piece of the item at a counter."""
    order_number = f"C{number:06d}"
    line = {"line": "1", "sku": "rush", "quantity": "1", "unit_price": "9.00", "amount": "9.00"}
    body: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"placed-{order_number}",
        "source": "/channels/store/shops/main",
        "type": "order.placed",
        "time": "2026-01-01T10:00:00+08:00",
        "subject": order_number,
        "data": {
            "order_number": order_number,
            "currency": "CNY",
            "place": PLACE,
            "lines": [line],
            "total": "9.00",
        },
    }
    return orjson.dumps(body)


def _wait_for_stock(settings: Settings, skus: tuple[str, ...]) -> None:
    count = (
        "select count(*) from hub.stock_positions where sku = any(%s) and counted_at is not null"
    )
    _wait_until(settings, count, (list(skus),), lambda row: row[0] == len(skus))


def _wait_for_sales(settings: Settings) -> tuple[int, int, int]:
    return _wait_until(settings, COUNT, ("rush",), lambda row: row[1] == COUNTER_SALES)


def _wait_until(settings: Settings, sql: str, values: Any, is_met: Any) -> Any:
    deadline = time.monotonic() + READY_TIMEOUT_S
    with psycopg.connect(settings.dsn("owner"), autocommit=True) as connection:
        while True:
            row = connection.execute(sql.encode(), values).fetchone()
            if row is not None and is_met(row):
                return row
            if time.monotonic() > deadline:
                raise TimeoutError(f"{sql}: {row}")
            time.sleep(0.1)


@contextlib.contextmanager
def processes(settings: Settings, folder: Path, *, has_worker: bool = True) -> Iterator[list[str]]:
    """A stream worker and API processes; gives the addresses of these."""
    running: list[subprocess.Popen[bytes]] = []
    ports = [free_port() for _ in range(API_PROCESSES)]
    uvicorn = ("-m", "uvicorn", "--factory", "hub_api.app:create_app", "--no-access-log")
    commands = [("-m", "streams.worker")] if has_worker else []
    commands += [(*uvicorn, "--log-level", "warning", "--port", str(port)) for port in ports]
    try:
        for number, arguments in enumerate(commands):
            with (folder / f"process-{number}.log").open("wb") as log:
                running.append(
                    subprocess.Popen(
                        [sys.executable, *arguments],
                        env=os.environ | settings.environment(),
                        stdout=log,
                        stderr=log,
                    )
                )
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        for url in urls:
            _wait_until_ready(f"{url}/readyz")
        yield urls
    finally:
        for process in running:
            process.terminate()
        for process in running:
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
