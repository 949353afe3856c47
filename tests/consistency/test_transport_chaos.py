"""Workers are killed, stopped and paused at random while events stream: each counts once.

HUB_CHAOS_EVENTS sets the size; 30,000 take a minute.
"""

import os
import random
import signal
import threading
import time

from benchmarks.streams_run import WorkerProcess
from tests.consistency.transport_stage import SESSION_TIMEOUT_S, Stage

EVENTS = int(os.environ.get("HUB_CHAOS_EVENTS", "30000"))
EVENTS_PER_S = 2000
SEED = int(os.environ.get("HUB_CHAOS_SEED", "7"))
ROUND_EVENTS = 600
# Writes small enough that a fault meets one in flight.
SIZES = ("--poll-records", "500", "--write-records", "100")


def test_workers_killed_and_stopped_at_random_lose_and_repeat_nothing(stage: Stage) -> None:
    chance = random.Random(SEED)
    workers = [stage.worker(0, *SIZES), stage.worker(1, *SIZES)]
    producer = threading.Thread(target=produce_slowly, args=(stage,))
    producer.start()
    began, faults = time.monotonic(), 0
    while producer.is_alive():
        time.sleep(chance.uniform(0.2, 1.8))
        place = chance.randrange(2)
        workers[place] = hurt(stage, workers[place], place, chance)
        faults += 1
    producer.join()
    assert faults >= EVENTS / EVENTS_PER_S / 3, "too few faults to mean anything"

    stage.wait_for(EVENTS, 90)
    stage.assert_each_order_counted_once(EVENTS)
    codes = [worker.stop() for worker in workers]
    assert codes == [0, 0]
    print(f"{faults} faults in {time.monotonic() - began:.0f} s")  # noqa: T201 - with -s


def hurt(stage: Stage, worker: WorkerProcess, place: int, chance: random.Random) -> WorkerProcess:
    """Kill, stop or pause a worker; what takes its place is the same member or a new one."""
    fault = chance.choice(["kill", "kill", "stop", "pause"])
    if fault == "pause":
        worker.signal(signal.SIGSTOP)
        time.sleep(chance.uniform(0.2, SESSION_TIMEOUT_S / 3))
        worker.signal(signal.SIGCONT)
        return worker
    if fault == "kill":
        worker.kill()
    else:
        # Stopped while Python still loads its modules, it dies of the signal.
        is_loading = not worker.has_answered()
        assert worker.stop() in ((0, -signal.SIGTERM) if is_loading else (0,)), worker.tail()
    is_same = chance.random() < 0.6
    return stage.worker(place if is_same else None, *SIZES)


def produce_slowly(stage: Stage) -> None:
    """In rounds of changing codecs, at an even pace."""
    codecs = (None, "gzip", "lz4", "snappy", "zstd")
    began = time.monotonic()
    for first in range(0, EVENTS, ROUND_EVENTS):
        codec = codecs[first // ROUND_EVENTS % len(codecs)]
        stage.produce(range(first, min(EVENTS, first + ROUND_EVENTS)), codec)
        rest_s = began + first / EVENTS_PER_S - time.monotonic()
        time.sleep(max(0.0, rest_s))
