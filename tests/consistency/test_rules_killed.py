"""The rules worker is killed at random while events come: nothing is lost, nothing done twice."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from hub.local.services import ROOT
from hub.store import db, outbox, rule_runs, rules, subscriptions
from hub.store.rules import Word
from hub.store.subscriptions import NewSubscription
from hub.testing import Database, free_port
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

ORDERS = 120
KILLS = 3
PAUSE_S = (0.3, 1.2)
CAUGHT_UP_S = 60
RULE = """
rule: gifts
trigger: {events: [order.placed]}
map: [{target: number, from: data.order_number}]
actions:
  - {do: deliver, id: send, to: website}
  - do: earn_points
    id: give
    with:
      - {target: member, from: data.buyer.account, type: member}
      - {target: points, constant: 1, type: integer}
"""


def order(shop: Shop, number: int) -> bytes:
    cake = line(1, "cake", 1, "30.00")
    return shop.body(
        "order.placed", number, subject=f"W-{number}", order_number=f"W-{number}",
        currency="CNY", lines=[cake], total="30.00", buyer={"account": f"m{number % 20}"},
    )  # fmt: skip


async def started(database: Database) -> asyncio.subprocess.Process:
    settings = database.settings.model_copy(update={"rules_port": free_port()})
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.rules"),
        cwd=ROOT,
        env=os.environ | settings.environment(),
        stderr=asyncio.subprocess.DEVNULL,
    )


async def killed(database: Database, until: asyncio.Event) -> int:
    """Kill the worker again and again; how often it was."""
    kills = 0
    while not until.is_set() or kills < KILLS:
        process = await started(database)
        await asyncio.sleep(random.uniform(*PAUSE_S) + 0.8)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        kills += 1
    return kills


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    connection = await db.connect(database.dsn("writer"))
    yield Store(database, connection)
    await connection.close()


async def test_a_rules_worker_killed_at_random_runs_each_fact_once(store: Store) -> None:
    database = store.database
    # A subscription by which deliveries are made; nobody sends them here.
    to = NewSubscription("website", "test", ("rule.*",), "https://example.com/hook")
    await subscriptions.add(store.connection, store.vault, to)
    await outbox.register(store.connection, rule_runs.READER, is_from_now=True)
    async with store.connection.transaction():
        await rules.publish(store.connection, store.vault, RULE, Word("lin", "a gift each"))
    all_told = asyncio.Event()
    killer = asyncio.create_task(killed(database, all_told))
    shop = Shop("web")
    for number in range(ORDERS):
        await store.take(order(shop, number))
        await asyncio.sleep(0.02)
    all_told.set()
    assert await killer >= KILLS
    process = await started(database)
    try:
        await _caught_up(store)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    runs = await store.rows(
        "select fact_key, count(*) as n, min(state) as s from rule_runs group by 1"
    )
    assert len(runs) == ORDERS
    assert {(row["n"], row["s"]) for row in runs} == {(1, "done")}
    for sql in (
        "select count(*) from deliveries where rule = 'gifts'",
        "select count(distinct event_key) from deliveries where rule = 'gifts'",
        "select sum(points) from points_entries",
        "select count(*) from log.events where type = 'points.earned'",
        "select sum(done) from rule_hours",
    ):
        assert await store.value(sql) == ORDERS, sql


async def _caught_up(store: Store) -> None:
    sql = (
        "select (select count(*) from rule_runs where state = 'done') as runs,"
        " (select count(*) from rule_effects where state = 'waiting') as waiting"
    )
    found: dict[str, Any] = {}
    for _ in range(CAUGHT_UP_S * 10):
        found = await store.row(sql)
        if found == {"runs": ORDERS, "waiting": 0}:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not caught up: {found}")
