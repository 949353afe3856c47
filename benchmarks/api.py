"""`make bench WHAT=api`: reads of orders through HTTP, beside the same statements by pgbench.

Two API processes. `read_ms_*`: 300 reads a second at an even pace; `reads_per_s`: as many as 32
callers get one after the other. Where the rest goes is shown by what one process answers without
reading anything (`pings_per_s`, /healthz). Medians of HUB_BENCH_ROUNDS (3); the last line is one
JSON object.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks import commands_pgbench
from benchmarks.commands import OPTIONS, say
from benchmarks.commands_http import API_PROCESSES, CALLERS, processes
from benchmarks.servers import servers
from benchmarks.streams_events import ticks
from hub.domain import ids
from hub.settings import Settings
from hub.store import db, keys
from hub.store.keys import NewKey
from hub.store.reads import orders
from hub.store.reads.viewer import Viewer
from hub.testing import free_port

ORDERS = 20_000
ROUNDS = int(os.environ.get("HUB_BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("HUB_BENCH_SECONDS", "8"))
PACED_PER_S = 300
CHANNEL = "website"
Figures = dict[str, float]
LISTED = "create table hub.listed as select row_number() over () as n, order_id from hub.orders"
HEAD = r"""\set n random(1, {orders})
select order_id from hub.listed where n = :n \gset
"""


def main() -> int:
    """Measure, and print one line of JSON."""
    taken: list[Figures] = []
    with servers() as running, tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        for _ in range(ROUNDS):
            with running.database() as settings:
                taken.append(_one_round(settings, Path(folder)))
            say(str(taken[-1]))
    median = {key: statistics.median(one[key] for one in taken) for key in taken[0]}
    shown: dict[str, float] = {
        key: round(value, 1 if key.startswith("read_ms") else 0) for key, value in median.items()
    }
    shown["of_pgbench"] = round(median["reads_per_s"] / median["pgbench_reads_per_s"], 2)
    shown |= {"api_processes": API_PROCESSES, "callers": CALLERS, "rounds": ROUNDS}
    print(json.dumps(shown), flush=True)  # noqa: T201 - the command's result
    return 0


def _one_round(settings: Settings, folder: Path) -> Figures:
    settings = settings.model_copy(update={"port_base": free_port()})
    _fill(settings)
    order_ids, token, script = asyncio.run(_prepared(settings, folder))
    with processes(settings, folder, has_worker=False) as urls:
        figures = asyncio.run(_measure(urls, token, order_ids))
    dsn = settings.dsn("owner") + OPTIONS
    return figures | {
        "pgbench_reads_per_s": commands_pgbench.run(dsn, script, CALLERS, SECONDS),
    }


def _fill(settings: Settings) -> None:
    command = [sys.executable, "-m", "benchmarks.streams_full", "bytes", "--events", str(ORDERS)]
    environment = os.environ | settings.environment()
    subprocess.run(command, env=environment, check=True, capture_output=True)


async def _prepared(settings: Settings, folder: Path) -> tuple[list[str], str, Path]:
    """The ids of all orders, a key that may read them, and the statements of one read."""
    connection = await db.connect(settings.dsn("owner"))
    try:
        await connection.execute(LISTED)
        await connection.execute("alter table hub.listed add primary key (n)")
        await connection.execute("vacuum analyze")
        rows = await connection.fetch("select order_id from hub.listed")
        token = await keys.create(
            connection, NewKey("the bench", ("orders:read",), CHANNEL, 100_000)
        )
        first: bytes = rows[0]["order_id"]

        async def read() -> None:
            found = await orders.get(connection, Viewer(CHANNEL, False), [first])
            await orders.lines(connection, found[0]["order_id"])
            await orders.beside(connection, found[0]["order_id"])

        seen = await commands_pgbench.record(connection, read)
        variables: dict[object, str] = {first: ":order_id"}
        path = folder / "read.sql"
        head = HEAD.format(orders=len(rows))
        path.write_text(await commands_pgbench.script(connection, seen, variables, head))
        return [ids.text(row["order_id"]) for row in rows], token, path
    finally:
        await connection.close()


async def _measure(urls: list[str], token: str, order_ids: list[str]) -> Figures:
    chance = random.Random(0)
    headers = {"Authorization": f"Bearer {token}"}
    milliseconds: list[float] = []

    async with aiohttp.ClientSession(headers=headers) as session:

        async def get(number: int, path: str) -> None:
            began = time.perf_counter()
            async with session.get(f"{urls[number % len(urls)]}{path}") as answer:
                await answer.read()
            if answer.status != 200:
                raise AssertionError(f"{path}: {answer.status}")
            milliseconds.append((time.perf_counter() - began) * 1000)

        def order() -> str:
            return f"/v1/orders/{chance.choice(order_ids)}"

        async def flat_out(path: str | None) -> float:
            ends_at = time.perf_counter() + SECONDS

            async def call(number: int) -> int:
                count = 0
                while time.perf_counter() < ends_at:
                    await get(number, path or order())
                    count += 1
                return count

            return sum(await asyncio.gather(*map(call, range(CALLERS)))) / SECONDS

        await flat_out(None)
        milliseconds.clear()
        async with asyncio.TaskGroup() as tasks:
            async for number in ticks(PACED_PER_S, SECONDS):
                tasks.create_task(get(number, order()))
        paced = sorted(milliseconds)
        return {
            "read_ms_p50": statistics.median(paced),
            "read_ms_p99": paced[int(len(paced) * 0.99)],
            "reads_per_s": await flat_out(None),
            "pings_per_s": await flat_out("/healthz"),
        }


if __name__ == "__main__":
    sys.exit(main())
