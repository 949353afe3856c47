"""Lanes: each writes the batches of its partitions, one write at a time.

A partition stays with a lane while any of its records is not stored, so their order holds.
Between the fetch and a lane there is one slot; while it is full, the lane's partitions are not
fetched. Not here: trying a write again (`streams.transport.settling`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka import TopicPartition

from hub.store.offsets import FencedError
from streams.transport.batch import Batch, BatchHandler, Slice
from streams.transport.config import WRITE_BYTES_MAX
from streams.transport.positions import Positions
from streams.transport.settling import Settling

log = logging.getLogger(__name__)

# Decoding blocks the loop: let the write that has just begun reach its first long statement.
HEAD_START_S = 0.002
# So few records of different partitions share a transaction: two would cost twice as much.
SHARED_WRITE_RECORDS = 200


class Lane:
    """One slot, one writer."""

    def __init__(
        self,
        handler: BatchHandler,
        settling: Settling,
        positions: Positions,
        write_records: int,
        on_stored: Callable[[Batch, float], None],
    ) -> None:
        """`on_stored` is called after each COMMIT, with the batch and how many ms it took."""
        self._handler = handler
        self._settling = settling
        self._positions = positions
        self._write_records = write_records
        self._on_stored = on_stored
        self._slot: Batch | None = None
        self._filled = asyncio.Event()
        self.emptied = asyncio.Event()
        self._write: asyncio.Task[None] | None = None
        self._began_at = 0.0
        self._is_open = True
        # Records offered and not stored yet.
        self.load = 0

    @property
    def is_full(self) -> bool:
        """Whether a batch waits in the slot."""
        return self._slot is not None

    @property
    def is_writing(self) -> bool:
        """Whether a write is in flight."""
        return self._write is not None and not self._write.done()

    def offer(self, batch: Batch) -> None:
        """Put a batch into the empty slot."""
        if self._slot is not None:
            raise AssertionError("the slot is full: the partition should not have been fetched")
        self._slot = batch
        self.load += batch.size
        self._filled.set()

    async def run(self) -> None:
        """Write what is offered, until closed. Raises `FencedError`; decoding must not raise."""
        try:
            while self._is_open:
                await self._filled.wait()
                self._filled.clear()
                batch, self._slot = self._slot, None
                self.emptied.set()
                if not self.is_writing:
                    await self._end_of_write()
                for part in batch.split(self._write_records, WRITE_BYTES_MAX) if batch else ():
                    await self._head_start()
                    decoded = self._handler.decode(part)
                    await self._end_of_write()
                    if not self._is_open:
                        return
                    self._begin_write(decoded, part)
            await self._end_of_write()
        finally:
            # Only cancelling leaves a write behind; its connection is dropped with it.
            if self._write is not None and not self._write.done():
                self._write.cancel()
                await asyncio.wait([self._write])

    def close(self) -> None:
        """Forget what waits in the slot and begin no other write; `run` returns after this one."""
        self._is_open = False
        self._slot = None
        self._filled.set()

    def _begin_write(self, decoded: Any, part: Batch) -> None:
        """Nothing is awaited between the check and the begin of the write."""
        if not self._positions.may_store(part.slices):
            raise FencedError(f"the batch {part.moves} does not begin where Postgres is")
        self._began_at = time.perf_counter()
        self._write = asyncio.create_task(self._store(decoded, part))
        # A write that fails while nothing else is offered must be heard of, too.
        self._write.add_done_callback(self._wake_on_failure)

    def _wake_on_failure(self, write: asyncio.Task[None]) -> None:
        if write.cancelled() or write.exception() is not None:
            self._filled.set()

    async def _store(self, decoded: Any, part: Batch) -> None:
        await self._settling.store(decoded, part)
        self._positions.mark_stored(part.slices)
        self.load -= part.size
        self._on_stored(part, (time.perf_counter() - self._began_at) * 1000)

    async def _head_start(self) -> None:
        rest_s = self._began_at + HEAD_START_S - time.perf_counter()
        if self._write is not None and rest_s > 0:
            await asyncio.wait([self._write], timeout=rest_s)

    async def _end_of_write(self) -> None:
        if self._write is not None:
            await self._write
            self._write = None


class Lanes:
    """The lanes of one assignment, and which partition is in which."""

    def __init__(self, lanes: Sequence[Lane], positions: Positions) -> None:
        """All lanes share the positions of the assignment."""
        self._lanes = lanes
        self._positions = positions
        self._lane_of: dict[TopicPartition, Lane] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, on_failure: Callable[[BaseException], None]) -> None:
        """Start the lanes; `on_failure` hears of those that can't go on."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                on_failure(error)

        for lane in self._lanes:
            task = asyncio.create_task(lane.run())
            task.add_done_callback(ended)
            self._tasks.append(task)

    def fetchable(self) -> frozenset[TopicPartition]:
        """The partitions whose lane has room; free ones go where there is room."""
        if not any(lane.is_full for lane in self._lanes):
            return self._positions.partitions
        if all(lane.is_full for lane in self._lanes):
            return frozenset()
        held = (tp for tp in self._positions.partitions if self._lane(tp) is not None)
        full = {tp for tp in held if self._lane_of[tp].is_full}
        return self._positions.partitions - full

    def offer(self, slices: Iterable[Slice], cluster_id: str) -> None:
        """Give each slice to its lane; free ones to the least loaded lane that has room."""
        chosen: dict[Lane, list[Slice]] = {}
        free: list[Slice] = []
        for part in slices:
            lane = self._lane(part.tp)
            if lane is None:
                free.append(part)
            else:
                chosen.setdefault(lane, []).append(part)
        few = sum(len(part.records) for part in free) <= SHARED_WRITE_RECORDS
        extra = dict.fromkeys(self._lanes, 0)
        open_lanes = [lane for lane in self._lanes if not lane.is_full]
        for part in free:
            lane = min(open_lanes, key=lambda lane: lane.load + extra[lane])
            extra[lane] += 0 if few else len(part.records)
            chosen.setdefault(lane, []).append(part)
        for lane, parts in chosen.items():
            for part in parts:
                self._positions.take(part)
                self._lane_of[part.tp] = lane
            lane.offer(Batch(tuple(parts), cluster_id))

    def _lane(self, tp: TopicPartition) -> Lane | None:
        """The lane that holds records of this partition; None if all of them are stored."""
        return None if self._positions.is_idle(tp) else self._lane_of[tp]

    async def wait_for_room(self, timeout_s: float) -> None:
        """Return when a full lane takes its batch, or after `timeout_s`."""
        full = [lane for lane in self._lanes if lane.is_full]
        waits = []
        for lane in full:
            lane.emptied.clear()
            waits.append(asyncio.create_task(lane.emptied.wait()))
        if waits:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()

    async def close(self, patience_s: float) -> None:
        """Let the writes in flight end, at most `patience_s`; then cancel them."""
        for lane in self._lanes:
            lane.close()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=patience_s)
        if late:
            log.warning("%d writes did not end within %.1f s: cancelled", len(late), patience_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
