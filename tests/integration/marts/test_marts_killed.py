"""A build whose processes are killed: readers never see half of it, and the next one heals it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from hub.local import dagster as local_dagster
from hub.local import kafka
from hub.settings import Settings
from hub.testing import wait_until
from hub_assets.testing import MARTS, Hub, Warehouse

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[3]
BUILD_TIMEOUT_S = 200
SEEN = (
    "select o.total_minor, l.total_minor"
    " from marts.orders as o join marts.order_lines as l using (order_id)"
)
LAST = "select status from marts.builds order by build desc limit 1"
BUILT = (
    "select count(*) from mart_rows.marts where build = (select max(build) from mart_rows.builds)"
)


@pytest.fixture
def hub(warehouse: Warehouse, broker: Settings, tmp_path: Path) -> Settings:
    """Settings of a hub with database and broker, and a home of its Dagster."""
    kafka.ensure_topics(broker)
    secret = warehouse.settings.secret().decode()
    (tmp_path / "secret.key").write_text(secret)
    hub = warehouse.settings.model_copy(
        update={"kafka_brokers": broker.brokers, "data_dir": tmp_path}
    )
    local_dagster.prepare(hub, ROOT)
    return hub


@contextmanager
def build(hub: Settings) -> Iterator[psutil.Popen]:
    """A run that builds the warehouse, in a process of its own."""
    with psutil.Popen(
        [sys.executable, "-m", "hub_assets.materialize"],
        cwd=ROOT,
        env=os.environ | local_dagster.environment(hub),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield process


def count(warehouse: Warehouse, query: str) -> int:
    return int(str(warehouse.rows(query)[0][0]))


def half_built(warehouse: Warehouse, process: psutil.Popen) -> psutil.Process:
    """Wait until some marts are written and others not; the dbt that does it."""
    before = count(warehouse, "select max(build) from marts.builds")

    def is_between() -> bool:
        assert process.poll() is None, "the build ended before it was half done"
        is_begun = count(warehouse, "select max(build) from marts.builds") > before
        return is_begun and count(warehouse, BUILT) >= 3

    wait_until(is_between, "three marts are written", BUILD_TIMEOUT_S)
    return next(one for one in process.children(recursive=True) if "dbt" in one.name())


def change_price(warehouse: Warehouse, total_minor: int) -> None:
    with warehouse.writer() as connection:
        Hub(connection).order(1, {"1": total_minor})


def test_a_build_whose_dbt_or_run_is_killed_shows_no_half_mart_and_the_next_run_heals_it(
    hub: Settings, warehouse: Warehouse
) -> None:
    change_price(warehouse, 100)
    assert warehouse.check(), warehouse.results

    change_price(warehouse, 200)
    with build(hub) as killed:
        half_built(warehouse, killed).send_signal(signal.SIGKILL)
        assert killed.wait(BUILD_TIMEOUT_S) != 0
    assert 0 < count(warehouse, BUILT) < len(MARTS)
    assert warehouse.rows(SEEN, "reader") == [(100, 100)]

    change_price(warehouse, 300)
    with build(hub) as killed:
        orphan = half_built(warehouse, killed)
        killed.send_signal(signal.SIGKILL)
    assert warehouse.rows(SEEN, "reader") == [(100, 100)]

    with build(hub) as healing:
        assert healing.wait(BUILD_TIMEOUT_S) == 0
    wait_until(lambda: not is_running(orphan), "the orphan ends", BUILD_TIMEOUT_S)
    assert warehouse.rows(SEEN, "reader") == [(300, 300)]
    assert warehouse.rows(LAST, "reader") == [("published",)]


def is_running(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
