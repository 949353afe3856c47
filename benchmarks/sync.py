"""`make bench WHAT=sync`: from an order on the website to the mini-program's own stock.

A website posts orders over HTTP at an even rate; the mini-program is told the newest stock of each
item by a signed delivery. All processes are those of a hub. Hops are told apart by the times that
the hub itself keeps, as a trace does. Then the receiver loses a share of what it is told, which
retries repair: in the end its stock is compared with the hub's, key by key. Medians of
HUB_BENCH_ROUNDS (3); the last line is one JSON object. Not here: the receiver
(`benchmarks.sync_receiver`), the processes (`benchmarks.sync_hub`).
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psycopg

from benchmarks import sync_hub
from benchmarks.commands_callers import PLACE
from benchmarks.servers import Servers, servers
from benchmarks.streams_events import ticks
from benchmarks.sync_receiver import Receiver, Seen
from hub.settings import Settings
from hub.testing import free_port

ROUNDS = int(os.environ.get("HUB_BENCH_ROUNDS", "3"))
SECONDS = int(os.environ.get("HUB_BENCH_SECONDS", "20"))
EVENTS_PER_S = int(os.environ.get("HUB_BENCH_EVENTS_PER_S", "200"))
WARM_UP_S = 3
ITEMS = 2_000
"""So many that no item is sold twice while it is still told of: each event has its own delivery."""
LOSE = 0.05
LOSE_SECONDS = 5
SETTLE_S = 90.0
HOPS = ("api_to_kafka", "kafka_to_write", "write_to_read", "read_to_send", "send_to_receiver")
TIMES = """
select
    e.event_id,
    d.delivery_id,
    d.generation,
    extract(epoch from e.produced_at)::float8,
    extract(epoch from e.received_at)::float8,
    extract(epoch from d.created_at)::float8,
    extract(epoch from a.attempted_at)::float8
from hub.deliveries as d
join log.inbox as i using (event_key)
join log.events as e on e.entity_key = i.entity_key and e.log_id = i.log_id
join hub.delivery_attempts as a on a.delivery_id = d.delivery_id and a.status = 204
where e.event_id = any(%s)
"""
WRITES = """
select
    percentile_cont(0.5) within group (order by duration_ms),
    percentile_cont(0.99) within group (order by duration_ms),
    avg(events)
from log.writes
"""
POSITIONS = """
select sku, place, version, on_hand_milli,
    on_hand_milli - committed_milli - reserved_milli - unavailable_milli
from hub.stock_positions
"""


@dataclass
class Posted:
    """When events were posted, by id, and how long the answers took."""

    at: dict[str, float]
    answer_ms: list[float]


def main() -> int:
    """Measure, and print one line of JSON."""
    rounds = []
    for _ in range(ROUNDS):
        # A fresh database beside old topics would be told what was told in the round before.
        with (
            servers() as running,
            running.database() as settings,
            tempfile.TemporaryDirectory(prefix="hub-bench-") as folder,
        ):
            rounds.append(one_round(running, settings, Path(folder)))
    print(json.dumps(summary(rounds)), flush=True)  # noqa: T201 - the command's result
    return 0


def summary(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The medians of all rounds; accuracy is that of the worst."""

    def median(*path: str) -> float:
        found: list[Any] = rounds
        for name in path:
            found = [one[name] for one in found]
        return round(statistics.median(found), 1)

    return {
        "hop_ms_p50": {hop: median("hop_ms_p50", hop) for hop in HOPS},
        "hop_ms_p99": {hop: median("hop_ms_p99", hop) for hop in HOPS},
        "sync_ms_p50": median("sync_ms_p50"),
        "sync_ms_p99": median("sync_ms_p99"),
        "sync_accuracy": min(one["sync_accuracy"] for one in rounds),
        "positions": min(one["positions"] for one in rounds),
        "lost_and_repaired": sum(one["lost"] for one in rounds),
        "repaired_s_max": max(one["repaired_s"] for one in rounds),
        **{name: median(name) for name in ("write_ms_p50", "write_ms_p99", "events_a_write")},
        "post_ms_p50": median("post_ms_p50"),
        "post_ms_p99": median("post_ms_p99"),
        "cores": {
            name: round(statistics.median(one["cores"][name] for one in rounds), 2)
            for name in rounds[0]["cores"]
        },
        "events_per_s": EVENTS_PER_S,
        "events": sum(one["events"] for one in rounds),
        "rounds": ROUNDS,
    }


def one_round(running: Servers, settings: Settings, folder: Path) -> dict[str, Any]:
    """All figures once, in a fresh database."""
    update = {"port_base": free_port(), "local_receivers": True, "deliveries_port": free_port()}
    settings = settings.model_copy(update=update)
    port = free_port()
    with Receiver(port) as receiver, sync_hub.processes(settings, folder) as hub:

        def cpu_s() -> dict[str, float]:
            servers_s = {name: running.cpu_s(name) for name in ("postgres", "kafka")}
            ours = {"receiver": receiver.cpu_s(), "website": time.process_time()}
            return hub.cpu_s() | servers_s | ours

        return asyncio.run(_round(settings, hub, receiver, cpu_s))


async def _round(
    settings: Settings,
    hub: sync_hub.Hub,
    receiver: Receiver,
    cpu_s: Callable[[], dict[str, float]],
) -> dict[str, Any]:
    await hub.stock([f"item-{number}" for number in range(ITEMS)])
    async with hub.session() as session:
        await asyncio.sleep(1)
        receiver.expect(await hub.subscribe(session, receiver.url))
        await asyncio.sleep(1)
        await _post(hub, session, "warm", WARM_UP_S)
        cpu = cpu_s()
        posted = await _post(hub, session, "timed", SECONDS)
        cores = {name: (used - cpu[name]) / SECONDS for name, used in cpu_s().items()}
        await _until_equal(settings, receiver)
        seen = receiver.seen()
        receiver.lose(LOSE)
        await _post(hub, session, "lossy", LOSE_SECONDS)
        receiver.lose(0.0)
        repaired_s, accuracy, positions = await _until_equal(settings, receiver)
    figures = await asyncio.to_thread(_figures, settings, posted, seen)
    last = receiver.seen()
    if last.unsigned:
        raise AssertionError(f"{last.unsigned} deliveries could not be verified")
    figures |= {
        "sync_accuracy": accuracy,
        "positions": positions,
        "lost": last.lost,
        "repaired_s": round(repaired_s, 1),
        "cores": cores,
    }
    say(json.dumps(figures))
    return figures


async def _post(
    hub: sync_hub.Hub, session: aiohttp.ClientSession, name: str, seconds: float
) -> Posted:
    """Orders of one piece each, one request each, at an even pace."""
    posted = Posted({}, [])

    async def one(number: int) -> None:
        event_id = f"{name}-{number}"
        body = orjson.dumps(order(event_id, f"item-{number % ITEMS}"))
        posted.at[event_id] = time.time()
        began = time.perf_counter()
        async with session.post(hub.events_url, data=body) as answer:
            if answer.status != 202:
                raise AssertionError(await answer.text())
            await answer.read()
        posted.answer_ms.append((time.perf_counter() - began) * 1000)

    async with asyncio.TaskGroup() as tasks:
        async for number in ticks(EVENTS_PER_S, seconds):
            tasks.create_task(one(number))
    return posted


def order(event_id: str, sku: str) -> dict[str, Any]:
    """An order of one piece, now."""
    line = {"line": "1", "sku": sku, "quantity": "1", "unit_price": "9.00", "amount": "9.00"}
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/channels/website/shops/main",
        "type": "order.placed",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "subject": event_id,
        "data": {
            "order_number": event_id,
            "currency": "CNY",
            "place": PLACE,
            "lines": [line],
            "total": "9.00",
        },
    }


async def _until_equal(settings: Settings, receiver: Receiver) -> tuple[float, float, int]:
    """Wait until the receiver has all that was sold; seconds, share of equal keys, keys."""
    began = time.monotonic()
    while True:
        accuracy, positions = await asyncio.to_thread(_accuracy, settings, receiver.seen())
        waited_s = time.monotonic() - began
        if accuracy == 1.0 or waited_s > SETTLE_S:
            return waited_s, accuracy, positions
        await asyncio.sleep(0.2)


def _accuracy(settings: Settings, seen: Seen) -> tuple[float, int]:
    """Which share of the hub's positions the receiver has as they are."""
    with psycopg.connect(settings.dsn("owner")) as connection:
        hub = {
            (sku, place): (version, _text(on_hand), _text(available))
            for sku, place, version, on_hand, available in connection.execute(POSITIONS)
            # Those that were counted and never sold since it subscribed it was never told of.
            if version > 1
        }
    equal = sum(seen.stock.get(at) == known for at, known in hub.items())
    return (equal / len(hub) if hub else 1.0), len(hub)


def _text(milli: int) -> str:
    return f"{milli / 1000:g}"


def _figures(settings: Settings, posted: Posted, seen: Seen) -> dict[str, Any]:
    with psycopg.connect(settings.dsn("owner")) as connection:
        rows = connection.execute(TIMES, [list(posted.at)]).fetchall()
        writes = connection.execute(WRITES).fetchone() or (0, 0, 0)
    hops: dict[str, list[float]] = {hop: [] for hop in HOPS}
    whole: list[float] = []
    for event_id, delivery_id, generation, *known in rows:
        arrived_at = seen.arrived_at.get(f"msg_{delivery_id}_{generation}")
        if arrived_at is None:
            continue
        times = [posted.at[event_id], *known, arrived_at]
        for hop, begin, end in zip(HOPS, times, times[1:], strict=False):
            hops[hop].append((end - begin) * 1000)
        whole.append((arrived_at - times[0]) * 1000)
    if len(whole) < len(posted.at) * 0.99:
        raise AssertionError(f"{len(whole)} of {len(posted.at)} events were told")
    return {
        "hop_ms_p50": {hop: _percentile(values, 0.5) for hop, values in hops.items()},
        "hop_ms_p99": {hop: _percentile(values, 0.99) for hop, values in hops.items()},
        "sync_ms_p50": _percentile(whole, 0.5),
        "sync_ms_p99": _percentile(whole, 0.99),
        "post_ms_p50": _percentile(posted.answer_ms, 0.5),
        "post_ms_p99": _percentile(posted.answer_ms, 0.99),
        "write_ms_p50": round(writes[0], 2),
        "write_ms_p99": round(writes[1], 2),
        "events_a_write": round(float(writes[2]), 1),
        "events": len(whole),
    }


def _percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[int(len(values) * share)], 2)


def say(words: str) -> None:
    """Progress, for whoever watches."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
