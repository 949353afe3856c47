"""`make bench WHAT=marts`: what a build of all marts costs, whole and by increments.

For each of HUB_BENCH_ORDERS (100000,1000000) orders: a build from nothing, one after 1 % of the
orders were new, late or corrected, one after two members became one, and a full refresh, which has
to find every row as the increments left it. Then the questions of the analyst's walk
(docs/analyst.md). The last line is one JSON object. Not here: the rows (`benchmarks.marts_rows`).

One mart is built after the other, so that what one of them costs says nothing of its neighbours.
"""

import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from benchmarks import marts_rows
from benchmarks.servers import servers
from hub.settings import Settings
from hub_assets import testing

SIZES = [int(n) for n in os.environ.get("HUB_BENCH_ORDERS", "100000,1000000").split(",")]
CHANGED_PART = 0.01
WALK = Path(__file__).parents[1] / "docs" / "analyst.md"
ASKED_TIMES = 5
ANSWERED_MS = 200.0
"""What answers later shows its plan."""
ONE_BY_ONE = ("--threads", "1")
NOTED_S = 1.0
"""Marts that are built whole in less are not compared with their increment."""


def main() -> int:
    """Measure each size in a database of its own."""
    found: dict[str, dict[str, object]] = {
        "full_s": {}, "checks_s": {}, "incremental_s": {}, "merge_s": {}, "merge_rows_changed": {},
        "full_slowest_s": {}, "incremental_slowest_s": {}, "incremental_of_full": {},
        "walk_ms": {},
    }  # fmt: skip
    equal = True
    with servers() as running, tempfile.TemporaryDirectory() as folder:
        manifest = testing.parse(Path(folder))
        for orders in SIZES:
            with running.database() as settings:
                warehouse = testing.Warehouse(settings, manifest, Path(folder))
                equal &= _measure(warehouse, orders, found)
    print(json.dumps(found | {"incremental_equals_full": equal}))  # noqa: T201  the result
    return 0 if equal else 1


def _measure(
    warehouse: testing.Warehouse, orders: int, found: dict[str, dict[str, object]]
) -> bool:
    size = str(orders)
    with warehouse.owner() as connection:
        marts_rows.fill(connection, orders)
    found["full_s"][size] = _timed(lambda: warehouse.build(*ONE_BY_ONE))
    found["full_slowest_s"][size] = dict(_slowest(warehouse))
    whole = {mart: warehouse.seconds[mart] for mart in _tables(warehouse)}
    found["checks_s"][size] = _timed(lambda: _published(warehouse))
    with warehouse.owner() as connection:
        marts_rows.change(connection, orders, CHANGED_PART)
    found["incremental_s"][size] = _timed(lambda: warehouse.build(*ONE_BY_ONE))
    found["incremental_slowest_s"][size] = dict(_slowest(warehouse))
    found["incremental_of_full"][size] = {
        mart: round(warehouse.seconds[mart] / seconds, 3)
        for mart, seconds in whole.items()
        if seconds >= NOTED_S
    }
    with warehouse.owner() as connection:
        moved = marts_rows.merge(connection, into=1, member=2)
    before = _newest(warehouse)
    found["merge_s"][size] = _timed(lambda: warehouse.build(*ONE_BY_ONE))
    changed = {mart: n for mart, n in _rows_since(warehouse, before).items() if n}
    found["merge_rows_changed"][size] = {"orders_of_the_member": moved, **changed}
    _published(warehouse)
    found["walk_ms"][size] = _walk(warehouse.settings)
    by_increments = _digests(warehouse)
    warehouse.build("--full-refresh", *ONE_BY_ONE)
    told = {name: by_size.get(size) for name, by_size in found.items()}
    print(f"{orders} orders: {json.dumps(told)}", file=sys.stderr)  # noqa: T201  progress
    return _digests(warehouse) == by_increments


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


def _published(warehouse: testing.Warehouse) -> None:
    assert warehouse.dbt("test", "--exclude-resource-type", "unit_test"), warehouse.results


def _slowest(warehouse: testing.Warehouse) -> list[tuple[str, float]]:
    return sorted(warehouse.seconds.items(), key=lambda item: -item[1])[:5]


def _newest(warehouse: testing.Warehouse) -> int:
    return warehouse.rows("select max(build) from mart_rows.builds")[0][0]


def _tables(warehouse: testing.Warehouse) -> dict[str, str]:
    return dict(warehouse.rows("select mart, rows_table from mart_rows.marts order by 1"))


def _rows_since(warehouse: testing.Warehouse, build: int) -> dict[str, int]:
    """Rows that came with a later build, or went with it, by mart."""
    return {
        mart: warehouse.rows(
            f"select count(*) from mart_rows.{table} where build_from > {build}"
            f" or build_to between {build + 1} and {build + 1_000_000}"
        )[0][0]
        for mart, table in _tables(warehouse).items()
    }


def _digests(warehouse: testing.Warehouse) -> dict[str, object]:
    """Sums of hashes, so that no order is needed."""
    return {
        mart: warehouse.rows(
            f"select count(*), sum(hashtextextended(m::text, 0)) from candidates.{mart} as m"
        )[0]
        for mart in _tables(warehouse)
    }


def _walk(settings: Settings) -> dict[str, float]:
    """Each query of the analyst's walk: the median of some runs, in ms. Shows slow ones' plans."""
    if not WALK.exists():
        return {}
    queries = re.findall(r"^## (.*?)\n.*?```sql\n(.*?)```", WALK.read_text(), re.S | re.M)
    times: dict[str, float] = {}
    with psycopg.connect(settings.dsn("analyst")) as connection:
        for title, query in queries:
            runs = []
            for _ in range(ASKED_TIMES):
                started = time.perf_counter()
                connection.execute(query.encode()).fetchall()
                runs.append((time.perf_counter() - started) * 1000)
            times[title] = round(statistics.median(runs), 1)
            if times[title] > ANSWERED_MS:
                plan = connection.execute(f"explain (analyze, costs off) {query}".encode())
                print(title, *(line for (line,) in plan), sep="\n", file=sys.stderr)  # noqa: T201
    return times


if __name__ == "__main__":
    sys.exit(main())
