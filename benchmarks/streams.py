"""`make bench WHAT=streams`: the hub's transport and its peers in one run, taking turns.

Medians of HUB_BENCH_ROUNDS (3) rounds; the last line is one JSON object. HUB_BENCH_EVENTS sets
the size. Not here: what each peer does (`streams_worker`, `streams_peers`, `streams_full`).
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import streams_events, streams_full, streams_latency, streams_upsert
from benchmarks.servers import Servers, servers
from benchmarks.streams_run import WorkerProcess
from hub.settings import Settings
from hub.testing import free_port

EVENTS = int(os.environ.get("HUB_BENCH_EVENTS", "200000"))
ROUNDS = int(os.environ.get("HUB_BENCH_ROUNDS", "3"))
# Stock Faust reads some 5,000 a second: a tenth is enough to know.
STOCK_EVENTS = max(1000, EVENTS // 10)
FULL_EVENTS = max(1000, EVENTS * 3 // 10)
SOAK_EVENTS = EVENTS * 5
LATENCY_S = float(os.environ.get("HUB_BENCH_LATENCY_S", "15"))
PARTITIONS = 4
TURN_TIMEOUT_S = 600
PLAIN_OF_COPY_MIN = 0.6

Figures = dict[str, Any]


@dataclass
class Bench:
    """The servers, the topics with their events, and what was measured."""

    servers: Servers
    folder: Path
    turns: int = 0
    taken: dict[str, list[Figures]] = field(default_factory=dict)

    @property
    def brokers(self) -> str:
        """Where Kafka is."""
        return self.servers.settings.brokers

    def fill(self, topic: str, events: int, make: streams_events.Make) -> None:
        """Make a topic with so many events."""
        say(f"{topic}: producing {events:,} events")
        asyncio.run(streams_events.make_topic(self.brokers, topic, PARTITIONS))
        asyncio.run(streams_events.produce(self.brokers, topic, range(events), make=make))

    def take_turn(self, name: str, work: Callable[["Bench", Settings], Figures]) -> None:
        """One run in a fresh database."""
        self.turns += 1
        with self.servers.database() as hub:
            with psycopg.connect(hub.dsn("owner")) as connection:
                connection.execute(streams_upsert.SCHEMA.encode())
            before = {server: self.servers.cpu_s(server) for server in ("postgres", "kafka")}
            figures = work(self, hub)
            for server, cpu_s in before.items():
                figures[f"{server}_cpu_s"] = self.servers.cpu_s(server) - cpu_s
        self.taken.setdefault(name, []).append(figures)
        say(f"{name}: " + ", ".join(f"{key} {value:,.2f}" for key, value in figures.items()))

    def run(self, hub: Settings, module: str, *arguments: str) -> Figures:
        """A peer as a process; its last line of output is what it measured."""
        log = self.folder / f"turn-{self.turns}.log"
        with log.open("wb") as errors:
            done = subprocess.run(
                [sys.executable, "-m", module, *arguments],
                env=os.environ | hub.environment(),
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=TURN_TIMEOUT_S,
                check=False,
            )
        lines = [line for line in done.stdout.decode().splitlines() if line.startswith("{")]
        if done.returncode != 0 or not lines:
            raise RuntimeError(f"{module} {arguments}: {log.read_text()[-3000:]}")
        return json.loads(lines[-1])

    def group(self) -> str:
        """A consumer group nobody has used."""
        return f"bench-{self.turns}"

    def median(self, name: str, key: str) -> float:
        """Over the rounds."""
        return statistics.median(figures[key] for figures in self.taken[name])


def transport(events: int, topic: str) -> Callable[[Bench, Settings], Figures]:
    """The hub's transport with the simple upsert."""

    def work(bench: Bench, hub: Settings) -> Figures:
        flags = {"brokers": bench.brokers, "topics": topic, "dsn": hub.dsn("owner")}
        flags |= {"group": bench.group(), "events": str(events)}
        found = bench.run(hub, "benchmarks.streams_worker", *as_arguments(flags))
        assert_counted_once(hub, events)
        return found

    return work


def peer(name: str, events: int, topic: str) -> Callable[[Bench, Settings], Figures]:
    """One of the others."""

    def work(bench: Bench, hub: Settings) -> Figures:
        flags = {"brokers": bench.brokers, "topic": topic, "dsn": hub.dsn("owner")}
        flags |= {"group": bench.group(), "events": str(events)}
        found = bench.run(hub, "benchmarks.streams_peers", name, *as_arguments(flags))
        assert_counted_once(hub, events)
        return found

    return work


def full(way: str, topic: str) -> Callable[[Bench, Settings], Figures]:
    """The hub's own handler, by Kafka or from memory."""

    def work(bench: Bench, hub: Settings) -> Figures:
        flags = as_arguments({"topic": topic, "events": str(FULL_EVENTS)})
        found = bench.run(hub, "benchmarks.streams_full", way, *flags)
        with psycopg.connect(hub.dsn("owner")) as connection:
            counted = connection.execute("select count(*) from hub.orders").fetchone()
        if counted != (FULL_EVENTS,):
            raise AssertionError(f"{counted} orders of {FULL_EVENTS}")
        return found

    return work


def latency(bench: Bench, hub: Settings) -> Figures:
    """Produced to visible at 500 events a second, in a topic of its own."""
    topic = f"latency-{bench.turns}"
    asyncio.run(streams_events.make_topic(bench.brokers, topic, PARTITIONS))
    flags = {"brokers": bench.brokers, "topics": topic, "dsn": hub.dsn("owner")}
    flags |= {"group": bench.group()}
    log = bench.folder / f"{topic}.log"
    arguments = ("-m", "benchmarks.streams_worker", *as_arguments(flags))
    worker = WorkerProcess(arguments, log, free_port()).start()
    try:
        worker.wait_until_ready()
        line = streams_latency.Line(bench.brokers, topic, hub.dsn("owner"), bench.group())
        process = worker.process
        found = streams_latency.measure(line, LATENCY_S, lambda: sum(process.cpu_times()[:2]))
    finally:
        worker.stop()
    return {"p50": found.percentile(0.5), "p99": found.percentile(0.99), "cores": found.cores}


def main() -> int:
    """Measure, and print one line of JSON."""
    with servers() as running, tempfile.TemporaryDirectory(prefix="hub-bench-logs-") as folder:
        bench = Bench(running, Path(folder))
        bench.fill("orders", EVENTS, streams_events.event)
        bench.fill("full", FULL_EVENTS, streams_full.event)
        turns = [
            ("transport", transport(EVENTS, "orders")),
            ("plain_loop", peer("plain_loop", EVENTS, "orders")),
            ("stock_faust", peer("stock_faust", STOCK_EVENTS, "orders")),
            ("copy_upsert", peer("copy_upsert", EVENTS, "orders")),
            ("full_path", full("kafka", "full")),
            ("full_path_in_memory", full("bytes", "full")),
            ("full_path_sql", full("memory", "full")),
            ("latency", latency),
        ]
        for round_number in range(ROUNDS):
            first = round_number % len(turns)
            for name, work in turns[first:] + turns[:first]:
                bench.take_turn(name, work)
        bench.fill("soak", SOAK_EVENTS, streams_events.event)
        bench.take_turn("soak", transport(SOAK_EVENTS, "soak"))
        summary = summarise(bench)
    print(json.dumps(summary), flush=True)  # noqa: T201 - the command's result
    return 0 if summary["is_valid"] else 1


def summarise(bench: Bench) -> Figures:
    """The figures by the names that stay, and more."""
    rates = {name: bench.median(name, "events_per_s") for name in bench.taken if name != "latency"}
    full_events = FULL_EVENTS / 100_000
    return {
        "transport_events_per_s": round(rates["transport"]),
        "stock_faust_events_per_s": round(rates["stock_faust"]),
        "plain_loop_events_per_s": round(rates["plain_loop"]),
        "copy_upsert_rows_per_s": round(rates["copy_upsert"]),
        "full_path_orders_per_s": round(rates["full_path"]),
        "full_path_sql_limit_orders_per_s": round(rates["full_path_sql"]),
        "full_path_in_memory_orders_per_s": round(rates["full_path_in_memory"]),
        "worker_rss_mb_max": round(bench.median("soak", "rss_mb_max"), 1),
        "worker_rss_mb_growth": round(bench.median("soak", "rss_mb_growth"), 1),
        "soak_events": SOAK_EVENTS,
        "visible_ms_p50": round(bench.median("latency", "p50"), 2),
        "visible_ms_p99": round(bench.median("latency", "p99"), 2),
        "worker_cores_at_500_per_s": round(bench.median("latency", "cores"), 3),
        "transport_of_stock_faust": round(rates["transport"] / rates["stock_faust"], 2),
        "transport_of_plain_loop": round(rates["transport"] / rates["plain_loop"], 2),
        "plain_loop_of_copy": round(rates["plain_loop"] / rates["copy_upsert"], 2),
        "full_path_of_in_memory": round(rates["full_path"] / rates["full_path_in_memory"], 2),
        "full_path_of_sql_limit": round(rates["full_path"] / rates["full_path_sql"], 2),
        "transport_cpu_s_per_100k": round(bench.median("transport", "cpu_s_per_100k"), 2),
        "plain_loop_cpu_s_per_100k": round(bench.median("plain_loop", "cpu_s_per_100k"), 2),
        "full_path_worker_cpu_s_per_100k": round(bench.median("full_path", "cpu_s_per_100k"), 2),
        "full_path_postgres_cpu_s_per_100k": round(
            bench.median("full_path", "postgres_cpu_s") / full_events, 2
        ),
        "full_path_kafka_cpu_s_per_100k": round(
            bench.median("full_path", "kafka_cpu_s") / full_events, 2
        ),
        "events": EVENTS,
        "rounds": ROUNDS,
        "is_valid": rates["plain_loop"] >= PLAIN_OF_COPY_MIN * rates["copy_upsert"],
    }


def assert_counted_once(hub: Settings, events: int) -> None:
    """Every order of the run is there, once."""
    count = "select count(*), max(times_stored) from public.bench_orders"
    with psycopg.connect(hub.dsn("owner")) as connection:
        found = connection.execute(count.encode()).fetchone()
    # Stock Faust ends in the middle of a topic: it may have stored more.
    if found is None or found[0] < events or found[1] != 1:
        raise AssertionError(f"{found} orders of {events}")


def as_arguments(flags: dict[str, str]) -> tuple[str, ...]:
    """`--name value` for each."""
    return tuple(part for name, value in flags.items() for part in (f"--{name}", value))


def say(words: str) -> None:
    """Progress, for whoever watches."""
    print(words, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
