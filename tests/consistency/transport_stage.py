"""What the transport's tests play on: a topic, a database, worker processes between them."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
import psycopg

from benchmarks import streams_events
from benchmarks.streams_run import WorkerProcess
from hub.testing import Database, free_port

PARTITIONS = 4
# The least a broker allows: a member that is gone is missed after this long.
SESSION_TIMEOUT_S = 6.0
POLL_S = 0.05
Result = TypeVar("Result")


def run_apart(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread with a loop of its own, and wait for it."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@dataclass
class Stage:
    """One topic, one database with the tables of the simple upsert, and workers between."""

    brokers: str
    database: Database
    topic: str
    folder: Path
    module: tuple[str, ...] = ("-m", "benchmarks.streams_worker")
    workers: list[WorkerProcess] = field(default_factory=list)
    _names: Iterator[int] = field(default_factory=itertools.count)

    @property
    def group(self) -> str:
        """The test's own group: members of an ended test are still known to the broker."""
        return f"group-{self.topic}"

    def worker(self, index: int | None = None, *extra: str) -> WorkerProcess:
        """A started worker; without an index, a member nobody has seen before."""
        index = 100 + next(self._names) if index is None else index
        options = {
            "brokers": self.brokers,
            "topics": self.topic,
            "dsn": self.database.dsn("owner"),
            "group": self.group,
            "index": index,
            "session-timeout-s": SESSION_TIMEOUT_S,
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        log = self.folder / f"worker-{index}.log"
        worker = WorkerProcess((*self.module, *flags, *extra), log, free_port()).start()
        self.workers.append(worker)
        return worker

    def produce(self, numbers: range, codec: str | None = "lz4") -> None:
        """Write these orders and wait until the broker has them."""
        run_apart(streams_events.produce(self.brokers, self.topic, numbers, codec))

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database, as its owner."""
        with psycopg.connect(self.database.dsn("owner")) as connection:
            return connection.execute(sql.encode(), values).fetchall()

    def execute(self, sql: str, *values: object) -> None:
        """Change the database, as its owner."""
        with psycopg.connect(self.database.dsn("owner")) as connection:
            connection.execute(sql.encode(), values)

    def offsets(self) -> dict[int, int]:
        """The stored offset of each partition."""
        rows = self.query(
            "select partition, next_offset from log.offsets"
            " where consumer_group = %s and topic = %s",
            *(self.group, self.topic),
        )
        return dict(rows)

    def stored(self) -> int:
        """How many offsets have been passed, over all partitions."""
        return sum(self.offsets().values())

    def wait_until(self, is_true: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
        """Poll until it is so; a failure shows what the workers said meanwhile."""
        deadline = time.monotonic() + timeout_s
        while not is_true():
            assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}\n{self.logs()}"
            time.sleep(POLL_S)

    def wait_for(self, count: int, timeout_s: float = 30) -> None:
        """Return when so many offsets have been passed."""
        self.wait_until(lambda: self.stored() >= count, f"{count} stored", timeout_s)

    def logs(self) -> str:
        """The ends of all workers' logs, for a failure's message."""
        return "\n".join(f"--- {worker.log.name}\n{worker.tail()}" for worker in self.workers)

    def assert_each_order_counted_once(self, count: int) -> None:
        """Every order is there with the event's own values, stored exactly one time."""
        rows = self.query("select order_number, place, body, times_stored from bench_orders")
        found = {row[0]: row[1:] for row in rows}
        twice = [number for number, row in found.items() if row[2] != 1]
        assert not twice, f"{len(twice)} orders were stored more than once\n{self.logs()}"
        wanted = {streams_events.event(number)[0].decode() for number in range(count)}
        missing = wanted - set(found)
        assert not missing, f"{len(missing)} orders are missing\n{self.logs()}"
        assert set(found) == wanted
        for number in range(0, count, max(1, count // 500)):
            key, value = streams_events.event(number)
            assert found[key.decode()][1] == orjson.loads(value)

    def end(self) -> None:
        """No worker outlives the test."""
        for worker in self.workers:
            worker.kill()
