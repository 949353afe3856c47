"""Who reserves in the benchmark of commands: processes at the store's level.

Each process has its own connections, as an API process has. Not here: pgbench.
"""

import asyncio
import itertools
import multiprocessing
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.settings import Settings
from hub.store import apply, commands, db, reservations
from hub.store.commands import Asked
from hub.store.records import Record, decode
from hub.store.reservations import OrderName, Wanted
from hub.store.sealing import Vault

HOT = "hot"
SPREAD_ITEMS = 2000
PLACE = "store-1"
SHOP = "main"
PROCESSES = 2
STOCK = "1000000"


async def fill(settings: Settings) -> None:
    """Count the hot item and the others: enough of each."""
    connection = await db.connect(settings.dsn("writer"))
    vault = Vault(settings.secret())
    now = datetime.now(UTC)
    skus = [HOT, *(f"item-{number}" for number in range(SPREAD_ITEMS))]
    records = [
        decode(Record("bench", 0, 0, now, None, (), counted(sku, STOCK)), datetime.now(UTC))
        for sku in skus
    ]
    async with connection.transaction():
        await apply.apply(connection, vault, records, "bench")
    await connection.close()


def counted(sku: str, quantity: str) -> bytes:
    """The count of an item a minute ago."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"counted-{sku}",
            "source": "/channels/website/shops/main",
            "type": "stock.counted",
            "time": at,
            "data": {"sku": sku, "place": PLACE, "quantity": quantity, "measured_at": at},
        }
    )


def store_rate(settings: Settings, kind: str, clients: int, seconds: int) -> float:
    """Reservations a second by `clients` connections in PROCESSES processes."""
    context = multiprocessing.get_context("spawn")
    each = clients // PROCESSES
    environment = settings.model_dump(mode="python")
    with context.Pool(PROCESSES) as pool:
        jobs = [
            pool.apply_async(_call, (environment, kind, each, seconds, number))
            for number in range(PROCESSES)
        ]
        return sum(job.get(timeout=seconds + 60) for job in jobs)


def _call(settings: dict[str, Any], kind: str, clients: int, seconds: int, process: int) -> float:
    return asyncio.run(_reserve(Settings.model_validate(settings), kind, clients, seconds, process))


async def _reserve(
    settings: Settings, kind: str, clients: int, seconds: int, process: int
) -> float:
    vault = Vault(settings.secret())
    connections = [await db.connect(settings.dsn("writer")) for _ in range(clients)]
    numbers = itertools.count()
    started = time.perf_counter()
    ends_at = started + seconds
    prefix = f"{kind}-{process}-{started}"

    async def caller(connection: db.Connection) -> int:
        done = 0
        while time.perf_counter() < ends_at:
            number = next(numbers)
            sku = HOT if kind == "hot" else f"item-{number * 7919 % SPREAD_ITEMS}"
            await _reserve_one(connection, vault, f"{prefix}-{number}", sku)
            done += 1
        return done

    done = sum(await asyncio.gather(*(caller(connection) for connection in connections)))
    took_s = time.perf_counter() - started
    for connection in connections:
        await connection.close()
    return done / took_s


async def _reserve_one(connection: db.Connection, vault: Vault, name: str, sku: str) -> None:
    order = OrderName("website", SHOP, name)
    wanted = Wanted(PLACE, [(sku, 1000)], datetime.now(UTC) + timedelta(hours=1))

    async def work(connection: db.Connection) -> commands.Answer:
        await reservations.reserve(connection, vault, order, wanted)
        return {"reservation_id": name}

    await commands.once(connection, Asked("bench", name, b"digest"), work)
