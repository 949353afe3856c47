"""What sync rules cost: orders through the stream with the rules worker beside it, with none, 50
and 550 rules published; and the engine alone, on one core.

Orders are decided and written as a stream worker does, from memory (`benchmarks.streams_full`).
Rules deliver to a channel whose deliveries nobody sends: sending is not measured here.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil

from benchmarks.servers import Servers, servers
from hub.domain import schemas
from hub.local.services import answers
from hub.rules import checking, document, running
from hub.rules.facts import Fact
from hub.rules.ruleset import Deciding, Ruleset
from hub.settings import Settings
from hub.store import commands, configs, db, outbox, rule_runs, subscriptions
from hub.store.configs import Draft
from hub.store.sealing import Vault
from hub.store.subscriptions import NewSubscription
from hub.testing import free_port

ORDERS = 20_000
ENGINE_ORDERS = 2_000
ROUNDS = 3
MATCHING = 3
COMPARING = 22
"""Of 50 rules 3 match an order, 22 compare and do not, 25 demand another place."""
EQUALITY = 25
MORE = 500
READY_S = 30.0
CAUGHT_UP_S = 300.0
POLL_S = 0.05
Figures = dict[str, float]
_MATCH = "{field: data.total, op: gt, value: '10', type: money}"


def main() -> None:
    """Print the figures as one line of JSON."""
    fifty = [_rule(i, _MATCH) for i in range(MATCHING)]
    fifty += [_rule(100 + i, _no_match(i)) for i in range(COMPARING)]
    fifty += [_rule(200 + i, _place(i)) for i in range(EQUALITY)]
    more = [_rule(1_000 + i, _place(1_000 + i)) for i in range(MORE)]
    rules = {"no_rules": [], "50_rules": fifty, "550_rules": fifty + more}
    taken: dict[str, list[Figures]] = {name: [] for name in rules}
    with servers() as running_servers:
        for round_number in range(ROUNDS):
            for name in _turned(list(rules), round_number):
                with running_servers.database() as hub:
                    figures = asyncio.run(_beside_the_stream(running_servers, hub, rules[name]))
                figures |= _engine(rules[name])
                taken[name].append(figures)
                _say(f"{name}: {figures}")
    print(json.dumps(_summary(taken, len(fifty))))  # noqa: T201 - the command's result


def _summary(taken: dict[str, list[Figures]], count: int) -> dict[str, Any]:
    def median(name: str, key: str) -> float:
        return statistics.median(one[key] for one in taken[name])

    rates = {name: median(name, "orders_per_s") for name in taken}
    found: dict[str, Any] = {f"orders_per_s_{name}": round(rate) for name, rate in rates.items()}
    found["rules_per_s"] = round(rates["50_rules"] * count)
    found["mix"] = {"rules": count, "match_an_order": MATCHING, "more_without_match": MORE}
    found["of_no_rules"] = round(rates["50_rules"] / rates["no_rules"], 2)
    found["cost_of_500_more"] = round(1 - rates["550_rules"] / rates["50_rules"], 3)
    for key in ("stream_orders_per_s", "engine_orders_per_s"):
        found |= {f"{key}_{name}": round(median(name, key)) for name in taken}
    for key in ("worker_cpu_us_per_order", "postgres_cpu_us_per_order"):
        found |= {f"{key}_{name}": round(median(name, key), 1) for name in taken}
    return found | {"orders": ORDERS, "rounds": ROUNDS}


async def _beside_the_stream(servers_: Servers, hub: Settings, rules: list[str]) -> Figures:
    """The worker follows while a stream writes: until both are through."""
    hub = hub.model_copy(update={"rules_port": free_port()})
    connection = await db.connect(hub.dsn("writer"))
    try:
        await _publish(connection, Vault(hub.secret()), rules)
        with _worker(hub) as worker:
            await _until_through(connection)
            before = sum(worker.cpu_times()[:2]), servers_.cpu_s("postgres")
            stream = await asyncio.to_thread(_stream, hub)
            await _until_through(connection)
            taken_s = await _taken_s(connection)
            after = sum(worker.cpu_times()[:2]), servers_.cpu_s("postgres")
        wanted = MATCHING * ORDERS if rules else 0
        made = await connection.fetchval("select count(*) from deliveries")
        if made != wanted:
            raise AssertionError(f"{made} deliveries, not {wanted}")
        return {
            "orders_per_s": ORDERS / taken_s,
            "stream_orders_per_s": stream["events_per_s"],
            "worker_cpu_us_per_order": (after[0] - before[0]) / ORDERS * 1e6,
            "postgres_cpu_us_per_order": (after[1] - before[1]) / ORDERS * 1e6,
        }
    finally:
        await connection.close()


async def _publish(connection: db.Connection, vault: Vault, rules: list[str]) -> None:
    """All at once: what they do to one another is not looked at here."""
    to = NewSubscription("website", "bench", ("rule.*",), "https://example.com/hook")
    await subscriptions.add(connection, vault, to)
    await outbox.register(connection, rule_runs.READER, is_from_now=True)
    decisions = [
        configs.decision(
            Draft("rule", _version(written)["rule"]["rule"], _version(written), "to be measured")
        )
        for written in rules
    ]
    if decisions:
        async with connection.transaction():
            await commands.run(connection, vault, decisions)


def _version(written: str) -> dict[str, Any]:
    return {
        "status": "published",
        "by": "bench",
        "rule": document.plain(document.parse(written)[0]),
    }


@contextmanager
def _worker(hub: Settings) -> Iterator[psutil.Process]:
    environment = os.environ | hub.environment()
    process = subprocess.Popen([sys.executable, "-m", "streams.rules"], env=environment)
    try:
        deadline = time.monotonic() + READY_S
        while not answers(f"http://127.0.0.1:{hub.rules_port}/healthz"):
            if time.monotonic() > deadline:
                raise TimeoutError("the rules worker does not start")
            time.sleep(POLL_S)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _stream(hub: Settings) -> Figures:
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        log = Path(folder) / "stream.log"
        with log.open("wb") as errors:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.streams_full", "bytes", "--events", str(ORDERS)],
                env=os.environ | hub.environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                check=False,
            )
        lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
        if not lines:
            raise RuntimeError(log.read_text()[-2_000:])
        return json.loads(lines[-1])


async def _until_through(connection: db.Connection) -> None:
    """Until the worker is behind all that was written."""
    sql = (
        "select count(*) = 0 from outbox as o, outbox_readers as r where r.reader = 'rules'"
        " and (o.xid, o.outbox_id) > (r.xid, r.outbox_id)"
    )
    deadline = time.monotonic() + CAUGHT_UP_S
    while not await connection.fetchval(sql):
        if time.monotonic() > deadline:
            raise TimeoutError("the rules worker does not keep up")
        await asyncio.sleep(POLL_S)


async def _taken_s(connection: db.Connection) -> float:
    """Seconds from the first order's write until the worker was behind the last."""
    taken = await connection.fetchval(
        "select extract(epoch from (select updated_at from outbox_readers where reader = 'rules')"
        " - (select min(received_at) from outbox where type = 'order.placed'))"
    )
    assert taken is not None, "nothing was written"
    return float(taken)


def _engine(rules: list[str]) -> Figures:
    """The engine alone, in this process."""
    ready = Ruleset(_compiled(written) for written in rules)
    facts = [_fact(number) for number in range(ENGINE_ORDERS)]
    deciding = Deciding(ready)
    deciding.runs(facts[0])
    started = time.process_time()
    effects = sum(len(run.effects) for fact in facts for run in deciding.runs(fact))
    taken_s = time.process_time() - started
    assert effects == (ENGINE_ORDERS * MATCHING if rules else 0)
    return {"engine_orders_per_s": ENGINE_ORDERS / taken_s}


def _turned(names: list[str], by: int) -> list[str]:
    first = by % len(names)
    return names[first:] + names[:first]


def _rule(number: int, condition: str) -> str:
    return (
        f"rule: rule-{number}\ntrigger: {{events: [order.placed]}}\nwhen: [{condition}]\n"
        "map:\n"
        "  - {target: number, from: data.order_number}\n"
        "  - {target: total_fen, from: data.total, type: money, output: minor}\n"
        "  - {target: placed_at, from: event.time, type: time, zone: Asia/Shanghai}\n"
        "actions: [{do: deliver, id: send, to: website}]\n"
    )


def _no_match(number: int) -> str:
    """Half of them in CEL, no two alike."""
    if number % 2:
        return f"{{field: data.total, op: gt, value: '{100_000 + number}', type: money}}"
    return f"{{cel: 'data.lines.size() > {100 + number}'}}"


def _place(number: int) -> str:
    return f"{{field: data.place, op: eq, value: far-store-{number}}}"


def _compiled(written: str) -> running.Compiled:
    return running.compile_rule(checking.check(written), 1)


def _fact(number: int) -> Fact:
    known = msgspec.json.decode(schemas.example("order.placed"))
    at = datetime.fromisoformat(known["time"])
    name = f"e-{number}"
    return Fact(name, name, "order.placed", "web", "1", f"W-{number}", at, known["data"])


def _say(words: str) -> None:
    """Progress, for whoever watches."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
