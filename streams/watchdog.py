"""Ends a worker whose consumer has silently stopped; the supervisor starts it again.

After a broker restart a Kafka consumer can live on and never fetch again, and an event loop
can hang. So a thread of its own, with a Kafka client of its own, compares the log's end with
what is stored. Not here: retries of what says that it fails (`streams.transport.settling`).
"""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.transport.state import TransportState

log = logging.getLogger(__name__)

STALL_S = 15.0
# The group waits for its slowest member, and that is not this one's fault.
REBALANCE_STALLS = 2
LOOK_EVERY_S = 1.0
ASK_TIMEOUT_S = 5.0
# Exit code of a worker that ended itself; sysexits' EX_TEMPFAIL: starting again may help.
EXIT_STALLED = 75

Ends = Mapping[TopicPartition, int]


class StallClock:
    """Judges from what is seen once a second; no I/O, no clock of its own."""

    def __init__(self, stall_s: float = STALL_S) -> None:
        """A stall is this long a time of lag without progress."""
        self._stall_s = stall_s
        self._since: float | None = None
        self._reached: dict[TopicPartition, int] = {}

    def is_stalled(self, now: float, ends: Ends | None, state: TransportState) -> bool:
        """Whether there has been lag, and no progress, for too long.

        `ends` is None when the broker does not answer: then nothing is known. A write that is
        being retried, or a refused partition, is trouble that is reported elsewhere.
        """
        reached = dict(state.reached)
        moved = reached != self._reached
        self._reached = reached
        if ends is None or state.trouble:
            self._since = None
            return False
        waiting_since = state.rebalancing_since
        if waiting_since is not None:
            return now - waiting_since >= REBALANCE_STALLS * self._stall_s
        if moved or not self._is_behind(ends, state):
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= self._stall_s

    def _is_behind(self, ends: Ends, state: TransportState) -> bool:
        return any(
            end > state.reached[tp]
            for tp, end in ends.items()
            if tp in state.reached and tp not in state.refused
        )


class Watchdog(threading.Thread):
    """Looks once a second; on a stall it prints all stacks and ends the process."""

    def __init__(
        self,
        brokers: str,
        state: TransportState,
        stall_s: float | None = None,
        end: Callable[[], None] | None = None,
    ) -> None:
        """`end` ends the process; a test may give another."""
        super().__init__(name="watchdog", daemon=True)
        self._brokers = brokers
        self._state = state
        self._stall_s = STALL_S if stall_s is None else stall_s
        self._clock = StallClock(self._stall_s)
        self._end = end or end_process
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def run(self) -> None:
        """The thread's life: a loop of its own, so that a hanging main loop is seen."""
        asyncio.run(self._watch())

    async def _watch(self) -> None:
        consumer: AIOKafkaConsumer | None = None
        while not self._stopping.is_set():
            ends, consumer = await self._ask(consumer)
            if self._clock.is_stalled(time.monotonic(), ends, self._state):
                log.critical("no progress for %.0f s with %r to read", self._stall_s, ends)
                self._end()
                return
            await asyncio.sleep(LOOK_EVERY_S)
        if consumer is not None:
            await consumer.stop()

    async def _ask(
        self, consumer: AIOKafkaConsumer | None
    ) -> tuple[Ends | None, AIOKafkaConsumer | None]:
        """The logs' ends, by a client that is made anew after any failure."""
        tps = self._state.assigned
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                if consumer is None:
                    consumer = _new_consumer(self._brokers)
                    await consumer.start()
                return await _ends(consumer, tps), consumer
        except Exception as error:  # noqa: BLE001 - the watchdog must outlive any fault
            log.info("the broker does not tell the logs' ends: %r", error)
        if consumer is not None:
            await consumer.stop()
        return None, None


def _new_consumer(brokers: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=brokers,
        client_id="hub-streams-watchdog",
        isolation_level="read_committed",
        request_timeout_ms=int(ASK_TIMEOUT_S * 1000),
    )


async def _ends(consumer: AIOKafkaConsumer, tps: Collection[TopicPartition]) -> Ends:
    return await consumer.end_offsets(list(tps)) if tps else {}


def end_process() -> None:
    """Leave at once, with the stacks of all threads in the log."""
    faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
    sys.stderr.flush()
    os._exit(EXIT_STALLED)
