"""Lanes write in order, one write at a time, and say when they can't go on."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from hub.store.offsets import FencedError, StoredOffset
from streams.transport.batch import Batch, Read
from streams.transport.config import StreamConfig
from streams.transport.lanes import SHARED_WRITE_RECORDS
from streams.transport.state import TransportState
from streams.transport.tenure import Sorted, Tenure

PARTITIONS = [TopicPartition("orders", number) for number in range(4)]
P0, P1, P2, P3 = PARTITIONS


class Handler:
    """Writes go through a gate; what was decoded and stored is kept in order."""

    def __init__(self) -> None:
        self.gate = asyncio.Semaphore(0)
        self.decoded: list[list[int]] = []
        self.began: list[Batch] = []
        self.stored: list[Batch] = []
        self.error: Exception | None = None

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def stored_offsets(
        self, tps: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, StoredOffset]:
        return {}

    def decode(self, batch: Batch) -> Any:
        self.decoded.append([record.offset for record in batch.records()])

    async def store(self, decoded: Any, batch: Batch) -> None:
        self.began.append(batch)
        await self.gate.acquire()
        if self.error is not None:
            raise self.error
        self.stored.append(batch)

    def pass_writes(self, count: int) -> None:
        for _ in range(count):
            self.gate.release()


def records(tp: TopicPartition, first: int, count: int, begin: int | None = None) -> Read:
    found = [
        ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, None, b"v", None, -1, 1, ())
        for offset in range(first, first + count)
    ]
    return Read(found, first if begin is None else begin, first + count)


def hand_on(tenure: Tenure, reads: dict[TopicPartition, Read]) -> Sorted:
    """As the consumer does, when no read begins after a gap."""
    found = tenure.sort(reads)
    tenure.hand_on(found.good)
    return found


async def turn(times: int = 20) -> None:
    """Let the lanes run; past the head start of a write."""
    for _ in range(times):
        await asyncio.sleep(0.0005)


@pytest.fixture
def handler() -> Handler:
    return Handler()


@asynccontextmanager
async def tenure_of(
    handler: Handler, writers: int = 2, write_records: int = 1000
) -> AsyncIterator[tuple[Tenure, list[BaseException]]]:
    config = StreamConfig("g", "b", ("orders",), writers=writers, write_records=write_records)
    tenure = Tenure(config, handler, TransportState(), dict.fromkeys(PARTITIONS, 0), "cluster")
    failures: list[BaseException] = []
    tenure.open(lambda batch, took_ms: None, failures.append)
    try:
        yield tenure, failures
    finally:
        await tenure.close(0.0)


async def test_writes_of_a_partition_keep_their_order(handler: Handler) -> None:
    async with tenure_of(handler, write_records=3) as (tenure, _):
        hand_on(tenure, {P0: records(P0, 0, 8)})
        handler.pass_writes(10)
        await turn()
        assert [batch.moves[P0] for batch in handler.stored] == [(0, 3), (3, 6), (6, 8)]
        assert tenure.positions.stored()[P0] == 8


async def test_the_next_batch_is_decoded_while_the_last_is_written(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        hand_on(tenure, {P0: records(P0, 0, 1)})
        await turn()
        hand_on(tenure, {P0: records(P0, 1, 1)})
        await turn()
        assert handler.decoded == [[0], [1]]
        assert len(handler.began) == 1


async def test_a_full_lane_is_not_fetched_and_the_others_are(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        for first in range(3):  # written, decoded, in the slot
            assert tenure.fetchable() == frozenset(PARTITIONS)
            hand_on(tenure, {P0: records(P0, first, 1)})
            if first < 2:
                await turn()
        assert tenure.fetchable() == {P1, P2, P3}
        handler.pass_writes(1)
        await tenure.wait_for_room(1.0)
        assert tenure.fetchable() == frozenset(PARTITIONS)


async def test_nothing_is_fetched_when_all_lanes_are_full(handler: Handler) -> None:
    many = SHARED_WRITE_RECORDS
    async with tenure_of(handler) as (tenure, _):
        for first in range(0, 3 * many, many):
            hand_on(tenure, {P0: records(P0, first, many), P1: records(P1, first, many)})
            await turn()
        assert tenure.fetchable() == frozenset()


async def test_few_records_of_many_partitions_share_one_write(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        hand_on(tenure, {tp: records(tp, 0, 1) for tp in PARTITIONS})
        await turn()
        assert [sorted(batch.partitions) for batch in handler.began] == [PARTITIONS]


async def test_many_records_are_spread_over_the_lanes(handler: Handler) -> None:
    many = SHARED_WRITE_RECORDS
    async with tenure_of(handler) as (tenure, _):
        hand_on(tenure, {tp: records(tp, 0, many) for tp in PARTITIONS})
        await turn()
        assert [len(batch.slices) for batch in handler.began] == [2, 2]


async def test_a_partition_changes_lanes_only_when_all_of_it_is_stored(handler: Handler) -> None:
    many = SHARED_WRITE_RECORDS + 1
    async with tenure_of(handler) as (tenure, _):
        hand_on(tenure, {P0: records(P0, 0, many)})
        await turn()
        hand_on(tenure, {P0: records(P0, many, 1), P1: records(P1, 0, many)})
        await turn()
        # P0 waits behind itself although the other lane was free for it.
        assert [batch.partitions for batch in handler.began] == [(P0,), (P1,)]


async def test_a_fence_ends_the_tenure_even_when_nothing_else_comes(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, failures):
        handler.error = FencedError()
        hand_on(tenure, {P0: records(P0, 0, 1)})
        handler.pass_writes(1)
        await turn()
        assert [type(failure) for failure in failures] == [FencedError]
        assert tenure.positions.stored()[P0] == 0


async def test_closing_waits_for_the_write_in_flight_and_begins_no_other(
    handler: Handler,
) -> None:
    async with tenure_of(handler, write_records=1) as (tenure, _):
        hand_on(tenure, {P0: records(P0, 0, 3)})
        await turn()
        closing = asyncio.create_task(tenure.close(patience_s=5.0))
        await turn()
        assert not closing.done()
        handler.pass_writes(3)
        await closing
        assert [batch.moves[P0] for batch in handler.stored] == [(0, 1)]


async def test_a_write_that_does_not_end_in_time_is_cancelled(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        hand_on(tenure, {P0: records(P0, 0, 1)})
        await turn()
        await tenure.close(patience_s=0.01)
        handler.pass_writes(1)
        await turn()
        assert handler.stored == []


async def test_records_after_a_hole_are_not_handed_on(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        found = hand_on(tenure, {P0: records(P0, 5, 1), P1: records(P1, 0, 1)})
        await turn()
        assert found.rereads == {P0: 0}
        assert [batch.partitions for batch in handler.began] == [(P1,)]


async def test_a_real_gap_moves_the_offset_over_it(handler: Handler) -> None:
    async with tenure_of(handler) as (tenure, _):
        found = tenure.sort({P0: records(P0, 5, 1, begin=0)})
        assert set(found.gaps) == {P0}
        tenure.hand_on(found.gaps)
        handler.pass_writes(1)
        await turn()
        assert handler.stored[0].moves == {P0: (0, 6)}
