"""The servers die under a running worker: it waits, goes on by itself, and nothing is lost."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from benchmarks import streams_events
from hub.local import guardian, kafka
from hub.local.process import Process
from hub.settings import Settings
from hub.testing import RUN_VARIABLE, Database, free_port, wait_until
from streams.watchdog import EXIT_STALLED, STALL_S
from tests.consistency.transport_stage import PARTITIONS, Stage, run_apart

EVENTS = 6000
# A worker that the watchdog has to end takes this long, and its start.
RECOVERY_MAX_S = STALL_S + 15


class Broker:
    """A Kafka of the test's own, to be killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            data_dir=folder, kafka_port=free_port(), kafka_controller_port=free_port()
        )
        kafka.prepare(self.settings)
        self.process = self.start()

    def start(self) -> Process:
        self.process = Process(kafka.command(self.settings), self.settings.data_dir / "kafka.log")
        register = Path(os.environ[RUN_VARIABLE]) / "groups"
        guardian.add(register, self.process.pid, self.process.command.stop_signal)
        wait_until(lambda: kafka.is_ready(self.settings), "the broker answers")
        return self.process


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    running = Broker(tmp_path / "broker")
    yield running
    running.process.kill()


@pytest.fixture
def apart(own_broker: Broker, stage: Stage, database: Database) -> Stage:
    """The stage on the broker that will die."""
    run_apart(streams_events.make_topic(own_broker.settings.brokers, stage.topic, PARTITIONS))
    return replace(stage, brokers=own_broker.settings.brokers, workers=stage.workers)


def test_a_broker_killed_and_started_again_is_found_again(apart: Stage, own_broker: Broker) -> None:
    worker = apart.worker(0)
    worker.wait_until_ready()
    apart.produce(range(EVENTS // 2))
    apart.wait_for(EVENTS // 4)
    own_broker.process.kill()
    time.sleep(1)
    own_broker.start()
    apart.produce(range(EVENTS // 2, EVENTS))

    began = time.monotonic()
    while apart.stored() < EVENTS:
        assert time.monotonic() - began < RECOVERY_MAX_S, apart.logs()
        if not worker.is_running():  # what a supervisor does
            assert worker.wait() in (1, EXIT_STALLED), worker.tail()
            worker.start()
        time.sleep(0.1)
    apart.assert_each_order_counted_once(EVENTS)


def test_a_database_that_hangs_up_on_everyone_loses_and_repeats_nothing(
    stage: Stage, database: Database
) -> None:
    worker = stage.worker(0, "--write-records", "100")
    worker.wait_until_ready()
    producer = threading.Thread(target=stage.produce, args=(range(EVENTS),))
    producer.start()
    for _ in range(8):
        time.sleep(0.2)
        hang_up(database)
    producer.join()
    stage.wait_for(EVENTS)
    stage.assert_each_order_counted_once(EVENTS)
    assert worker.is_running()
    stage.wait_until(lambda: worker.readiness()["ok"] is True, "ready again", 10)


def test_a_database_that_is_away_is_waited_for_and_said_so(
    stage: Stage, database: Database
) -> None:
    worker = stage.worker(0)
    worker.wait_until_ready()
    lock_out(database, limit=0)
    stage.produce(range(500))
    stage.wait_until(lambda: "lane" in str(worker.readiness()["problems"]), "said so", 15)
    lock_out(database, limit=-1)
    stage.wait_for(500, 15)
    stage.wait_until(lambda: worker.readiness()["ok"] is True, "ready again", 10)
    stage.assert_each_order_counted_once(500)


def hang_up(database: Database) -> None:
    """End all sessions in the test's database."""
    with psycopg.connect(database.settings.dsn("admin"), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [database.name],
        )


def lock_out(database: Database, limit: int) -> None:
    """Let nobody in (0), or everybody (-1)."""
    with psycopg.connect(database.settings.dsn("admin"), autocommit=True) as connection:
        connection.execute(f'alter database "{database.name}" connection limit {limit}'.encode())
    if limit == 0:
        hang_up(database)
