"""`make bench WHAT=commands`: reservations a second, on one hot item and on many.

At the store's level by two processes, against pgbench running the same statements; and through HTTP
by two API processes, while counter sales of the same item arrive as events. Medians of
HUB_BENCH_ROUNDS (3); the last line is one JSON object. Not here: the callers
(`benchmarks.commands_callers`, `benchmarks.commands_http`), pgbench
(`benchmarks.commands_pgbench`).
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import commands_callers, commands_http, commands_pgbench
from benchmarks.commands_callers import HOT, PLACE, SHOP, SPREAD_ITEMS
from benchmarks.servers import servers
from hub.domain import ids
from hub.domain.order_data import OrderName
from hub.settings import Settings
from hub.store import commands, db, reservations
from hub.store.commands import Asked
from hub.store.reservations import Wanted
from hub.store.sealing import Vault

ROUNDS = int(os.environ.get("HUB_BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("HUB_BENCH_SECONDS", "8"))
CLIENTS = 8
KINDS = ("hot", "spread")
EVENT_OF = "select event_key from log.inbox where entity_key = $1"
# What `hub.store.db` sets on each of its connections.
OPTIONS = "?options=-csearch_path%3Dhub%20-cjit%3Doff%20-cplan_cache_mode%3Dforce_generic_plan"
HEAD = r"""\set n random(1, 9000000000000000000)
\set item random(0, {items})
"""


async def scripts(settings: Settings, folder: Path) -> dict[str, Path]:
    """pgbench scripts of a reservation of the hot item, and of one of many."""
    connection = await db.connect(settings.dsn("writer"))
    vault = Vault(settings.secret())
    order = OrderName("website", SHOP, "recorded")
    asked = Asked("recorded", "recorded-key", b"digest")
    wanted = Wanted(PLACE, [(HOT, 1000)], datetime.now(UTC) + timedelta(hours=1))

    async def work(connection: db.Connection) -> commands.Answer:
        await reservations.reserve(connection, vault, order, wanted)
        return {"reservation_id": "recorded"}

    try:
        seen = await commands_pgbench.record(
            connection, lambda: commands.once(connection, asked, work)
        )
        event_key: ids.Key = await connection.fetchval(EVENT_OF, order.key) or b""
        log_id = await connection.fetchval("select max(log_id) from log.events")
        movement = ids.derived("movement", event_key, event_key, ids.stock_id(HOT, PLACE))
        variables: dict[object, str] = {
            order.key: "md5('order' || (:n)::bigint)",
            event_key: "md5('event' || (:n)::bigint)",
            movement: "md5('movement' || (:n)::bigint)",
            int.from_bytes(order.key[:8], signed=True): "(:n)::bigint",
            log_id: "currval('log.log_id_seq')",
            "recorded": "'recorded-' || (:n)::bigint",
            "recorded-key": "'key-' || (:n)::bigint",
        }
        paths = {}
        for name, items in (("hot", 0), ("spread", SPREAD_ITEMS - 1)):
            chosen = variables if name == "hot" else variables | {HOT: "'item-' || (:item)::int"}
            path = folder / f"{name}.sql"
            head = HEAD.format(items=items)
            path.write_text(await commands_pgbench.script(connection, seen, chosen, head))
            paths[name] = path
        return paths
    finally:
        await connection.close()


def one_round(settings: Settings, folder: Path) -> dict[str, float]:
    """Each rate once, in a fresh database."""
    asyncio.run(commands_callers.fill(settings))
    paths = asyncio.run(scripts(settings, folder))
    dsn = settings.dsn("owner") + OPTIONS
    rates = {}
    for kind in KINDS:
        rates[kind] = commands_callers.store_rate(settings, kind, CLIENTS, SECONDS)
        rates[f"pgbench_{kind}"] = commands_pgbench.run(dsn, paths[kind], CLIENTS, SECONDS)
    rates |= commands_http.measure(settings, folder)
    say(", ".join(f"{key} {rate:,.1f}" for key, rate in rates.items()))
    return rates


def main() -> int:
    """Measure, and print one line of JSON."""
    rounds = []
    with servers() as running, tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        for _ in range(ROUNDS):
            with running.database() as settings:
                rounds.append(one_round(settings, Path(folder)))
    median = {key: statistics.median(rates[key] for rates in rounds) for key in rounds[0]}
    summary = {
        "hot_item_reservations_per_s": round(median["hot"]),
        "spread_reservations_per_s": round(median["spread"]),
        "pgbench_hot_per_s": round(median["pgbench_hot"]),
        "pgbench_spread_per_s": round(median["pgbench_spread"]),
        "hot_of_pgbench": round(median["hot"] / median["pgbench_hot"], 2),
        "spread_of_pgbench": round(median["spread"] / median["pgbench_spread"], 2),
        "http_reservations_per_s": round(median["http_reservations_per_s"]),
        "reserve_ms_p99": round(median["reserve_ms_p99"], 1),
        "reserve_ms_p99_under_stream_load": round(median["reserve_ms_p99_under_stream_load"], 1),
        "oversold": sum(rates["oversold"] for rates in rounds),
        "unsold": sum(rates["unsold"] for rates in rounds),
        "attempts": commands_http.ATTEMPTS,
        "clients": CLIENTS,
        "rounds": ROUNDS,
    }
    print(json.dumps(summary), flush=True)  # noqa: T201 - the command's result
    return 0


def say(words: str) -> None:
    """Progress, for whoever watches."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
