"""One fault each: what the transport promises when something of it goes wrong."""

import signal
import statistics
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from benchmarks import streams_events
from benchmarks.streams_run import WorkerProcess
from streams.watchdog import EXIT_STALLED
from tests.consistency.transport_stage import SESSION_TIMEOUT_S, Stage, run_apart

WORKER = str(Path(__file__).with_name("transport_worker.py"))
UPSERT = ("--handler", "upsert")


@pytest.fixture
def faulty(stage: Stage) -> Stage:
    """The stage with the workers that break on demand."""
    return replace(stage, module=(WORKER,), workers=stage.workers)


def metric(worker: WorkerProcess, name: str) -> float:
    return worker.metrics().get(f"hub_streams_{name}", -1.0)


def test_records_lost_between_fetch_and_hand_off_are_read_again(faulty: Stage) -> None:
    worker = faulty.worker(0, *UPSERT, "--drop-every", "3")
    for first in range(0, 6000, 500):
        faulty.produce(range(first, first + 500))
    faulty.wait_for(5900)
    # A loss shows when more comes, at the latest by the second look at an idle log's end.
    faulty.wait_for(6000)
    faulty.assert_each_order_counted_once(6000)
    assert metric(worker, "rereads_total") > 3


def test_a_worker_joining_while_others_fetch_loses_nothing(faulty: Stage) -> None:
    faulty.worker(0, *UPSERT)
    faulty.produce(range(10_000))
    second = faulty.worker(1, *UPSERT)
    faulty.produce(range(10_000, 20_000))
    faulty.wait_for(20_000)
    second.wait_until_ready()
    faulty.assert_each_order_counted_once(20_000)


def test_a_paused_worker_that_wakes_up_is_fenced(faulty: Stage) -> None:
    sleeper = faulty.worker(0, "--slow-write-s", "0.05")
    sleeper.wait_until_ready()
    faulty.produce(range(2000))
    faulty.wait_for(1)
    sleeper.signal(signal.SIGSTOP)
    heir = faulty.worker(1)
    faulty.wait_for(2000, SESSION_TIMEOUT_S + 30)
    sleeper.signal(signal.SIGCONT)
    faulty.produce(range(2000, 3000))
    faulty.wait_for(3000)
    # The primary key of the records refuses a second copy; so does the count.
    assert faulty.query("select count(*) from records") == [(3000,)]
    assert [heir.stop(), sleeper.stop()] == [0, 0]


def test_a_worker_goes_on_from_where_another_has_moved_the_offset(faulty: Stage) -> None:
    worker = faulty.worker(0)
    worker.wait_until_ready()
    faulty.produce(range(400))
    faulty.wait_for(400)
    faulty.execute(
        "update log.offsets set next_offset = 0 where consumer_group = %s and partition = 0",
        faulty.group,
    )
    faulty.execute("delete from records where partition = 0")
    faulty.produce(range(400, 800))
    faulty.wait_for(800)
    faulty.wait_until(lambda: metric(worker, "fenced_total") == 1, "the fence is counted", 5)
    assert faulty.query("select count(*) from records") == [(800,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("next_offset = 1000000", "past the log's end"),
        ("cluster_id = 'another'", "belongs to cluster 'another'"),
    ],
)
def test_an_offset_that_does_not_fit_the_log_alarms_and_is_not_skipped(
    faulty: Stage, change: str, reason: str
) -> None:
    worker = faulty.worker(0)
    worker.wait_until_ready()
    faulty.produce(range(400))
    faulty.wait_for(400)
    assert worker.stop() == 0
    place = "select next_offset, cluster_id from log.offsets where partition = 2"
    right = faulty.query(place)[0]
    faulty.execute(f"update log.offsets set {change} where partition = 2")
    faulty.produce(range(400, 800))

    again = faulty.worker(0)
    others = "select count(*) from records where partition <> 2"
    before = faulty.query("select count(*) from records where partition = 2")
    faulty.wait_until(lambda: metric_or_0(again) == 1, "refused", 20)
    faulty.wait_until(lambda: faulty.query(others)[0][0] > 500, "other partitions go on", 20)
    assert faulty.query("select count(*) from records where partition = 2") == before
    readiness = again.readiness()
    assert readiness["ok"] is False
    assert reason in str(readiness["problems"])
    assert "REFUSED" in again.tail()

    # Put right by hand, it is read without a restart.
    faulty.execute(
        "update log.offsets set next_offset = %s, cluster_id = %s where partition = 2", *right
    )
    faulty.wait_for(800)
    assert faulty.query("select count(*) from records") == [(800,)]
    faulty.wait_until(lambda: again.readiness()["ok"] is True, "ready again", 5)


def metric_or_0(worker: WorkerProcess) -> float:
    try:
        return metric(worker, "refused_partitions")
    except OSError:
        return 0.0


def test_a_quiet_topic_beside_a_busy_one_is_not_kept_waiting(faulty: Stage) -> None:
    quiet = replace(faulty, topic=f"{faulty.topic}.quiet")
    run_apart(streams_events.make_topic(faulty.brokers, quiet.topic, 1))
    both = replace(faulty, topic=f"{faulty.topic},{quiet.topic}")
    both.worker(0, *UPSERT).wait_until_ready()
    producer = threading.Thread(target=faulty.produce, args=(range(20_000),))
    producer.start()
    waits = []
    for number in range(5):
        time.sleep(0.3)
        quiet.produce(range(90_000 + number, 90_001 + number))
        began = time.monotonic()
        both.wait_until(lambda number=number: seen(both, 90_000 + number), "the quiet event")
        waits.append(time.monotonic() - began)
    producer.join()
    # Faust's own fetch waits 1.5 s for a quiet broker.
    assert statistics.median(waits) < 0.5, waits


def seen(stage: Stage, number: int) -> bool:
    key = streams_events.event(number)[0].decode()
    return stage.query("select from bench_orders where order_number = %s", key) != []


def test_sigterm_ends_the_write_in_flight_and_exits_0_within_5_s(faulty: Stage) -> None:
    worker = faulty.worker(0, "--slow-write-s", "0.5")
    worker.wait_until_ready()
    faulty.produce(range(1000))
    faulty.wait_for(1)
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 5
    stored = faulty.stored()
    assert faulty.query("select count(*) from records") == [(stored,)]
    assert 0 < stored < 1000


def test_a_stalled_consumer_is_ended_by_the_watchdog(faulty: Stage) -> None:
    worker = faulty.worker(0, "--stall-after", "2", "--stall-s", "2")
    worker.wait_until_ready()
    for first in range(0, 1000, 100):
        faulty.produce(range(first, first + 100))
    assert worker.wait(20) == EXIT_STALLED
    assert "no progress for 2 s" in worker.tail(20_000)
    assert "Thread 0x" in worker.tail(20_000)
    again = faulty.worker(0)
    faulty.wait_for(1000)
    assert again.stop() == 0


def test_transaction_markers_and_aborted_records_are_gaps_not_losses(faulty: Stage) -> None:
    worker = faulty.worker(0)
    worker.wait_until_ready()
    run_apart(produce_transactions(faulty))
    faulty.wait_until(
        lambda: faulty.query("select count(*) from records") == [(60,)],
        "all transactions' records",
        30,
    )
    values = faulty.query("select value from records order by kafka_offset")
    assert [bytes(row[0]) for row in values] == [b"kept %d" % number for number in range(60)]
    # The markers after the last record: the log's end is ahead of the stored offset for ever.
    faulty.wait_until(
        lambda: metric(worker, f'lag{{partition="0",topic="{faulty.topic}"}}') == 0, "no lag", 10
    )
    assert metric(worker, "gaps_total") >= 5


async def produce_transactions(stage: Stage) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stage.brokers, transactional_id=stage.topic)
    await producer.start()
    try:
        kept = 0
        for turn in range(12):
            await producer.begin_transaction()
            for _ in range(10):
                is_kept = turn % 2 == 0
                value = b"kept %d" % kept if is_kept else b"aborted"
                await producer.send(stage.topic, value, partition=0)
                kept += is_kept
            if turn % 2 == 0:
                await producer.commit_transaction()
            else:
                await producer.flush()
                await producer.abort_transaction()
    finally:
        await producer.stop()


@pytest.mark.parametrize("codec", [None, "gzip", "lz4", "snappy", "zstd"])
def test_records_of_every_codec_arrive_as_they_were_sent(faulty: Stage, codec: str | None) -> None:
    worker = faulty.worker(0)
    worker.wait_until_ready()
    run_apart(produce_odd_records(faulty, codec))
    faulty.wait_for(4)
    rows = faulty.query("select key, value, headers from records order by kafka_offset")
    found = [(key and bytes(key), value and bytes(value), headers) for key, value, headers in rows]
    assert found == [
        (b"key", b"value", [["ce_type", "order.placed"], ["ce_id", "1"], ["ce_id", "2"]]),
        (None, b"no key", []),
        (b"tombstone", None, []),
        (b"", b"\x00\xff not text", []),
    ]


async def produce_odd_records(stage: Stage, codec: str | None) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stage.brokers, compression_type=codec)
    await producer.start()
    try:
        headers = [("ce_type", b"order.placed"), ("ce_id", b"1"), ("ce_id", b"2")]
        first = await producer.send(stage.topic, b"value", b"key", partition=1, headers=headers)
        await producer.send(stage.topic, b"no key", partition=1)
        await producer.send(stage.topic, None, b"tombstone", partition=1)
        await producer.send(stage.topic, b"\x00\xff not text", b"", partition=1)
        await first
        await producer.flush()
    finally:
        await producer.stop()
