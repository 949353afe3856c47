"""A batch is cut into writes without losing, repeating or reordering a record."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.transport.batch import Batch, Record, Slice

ORDERS_0 = TopicPartition("orders", 0)
ORDERS_1 = TopicPartition("orders", 1)


def record(tp: TopicPartition, offset: int) -> Record:
    return ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, b"k", b"v", None, 1, 1, ())


def slice_of(tp: TopicPartition, offsets: list[int], first: int | None = None) -> Slice:
    begin = offsets[0] if first is None else first
    return Slice(tp, [record(tp, offset) for offset in offsets], begin, offsets[-1] + 1)


def batch_of(*slices: Slice) -> Batch:
    return Batch(slices, "cluster")


def test_a_batch_of_just_the_most_is_one_write_and_one_more_record_makes_two() -> None:
    whole = batch_of(slice_of(ORDERS_0, list(range(10))))
    assert [part.size for part in whole.split(10)] == [10]
    assert [part.size for part in whole.split(9)] == [9, 1]


def test_writes_are_filled_across_partitions() -> None:
    whole = batch_of(slice_of(ORDERS_0, [0, 1, 2]), slice_of(ORDERS_1, [7, 8, 9]))
    first, second = whole.split(4)
    assert first.moves == {ORDERS_0: (0, 3), ORDERS_1: (7, 8)}
    assert second.moves == {ORDERS_1: (8, 10)}


def test_a_gap_before_the_first_record_belongs_to_the_first_write() -> None:
    whole = batch_of(slice_of(ORDERS_0, [5, 6, 9, 10], first=3))
    assert [part.moves for part in whole.split(3)] == [{ORDERS_0: (3, 10)}, {ORDERS_0: (10, 11)}]


def test_offsets_missing_between_two_writes_belong_to_the_first() -> None:
    whole = batch_of(slice_of(ORDERS_0, [5, 6, 9]))
    assert [part.moves for part in whole.split(2)] == [{ORDERS_0: (5, 9)}, {ORDERS_0: (9, 10)}]


def sized(tp: TopicPartition, offset: int, size: int) -> Record:
    return ConsumerRecord(tp.topic, tp.partition, offset, 0, 0, None, b"", None, -1, size, ())


def test_large_events_make_smaller_writes() -> None:
    records = [sized(ORDERS_0, offset, 10) for offset in range(8)]
    whole = batch_of(Slice(ORDERS_0, records, 0, 8))
    assert [part.size for part in whole.split(100, bytes_max=80)] == [8]
    assert [part.size for part in whole.split(100, bytes_max=79)] == [4, 4]
    assert [part.size for part in whole.split(3, bytes_max=20)] == [2, 1, 2, 1, 2]


def test_one_event_above_the_most_bytes_is_a_write_of_its_own() -> None:
    whole = batch_of(Slice(ORDERS_0, [sized(ORDERS_0, offset, 99) for offset in range(3)], 0, 3))
    assert [part.size for part in whole.split(100, bytes_max=10)] == [1, 1, 1]


@given(
    counts=st.lists(st.integers(1, 30), min_size=1, max_size=5),
    gaps=st.lists(st.integers(0, 3), min_size=150, max_size=150),
    most=st.integers(1, 40),
)
def test_cutting_keeps_every_record_in_order(counts: list[int], gaps: list[int], most: int) -> None:
    slices, gap = [], iter(gaps)
    for number, count in enumerate(counts):
        offset, offsets = 100 * number, []
        for _ in range(count):
            offset += next(gap)
            offsets.append(offset)
            offset += 1
        slices.append(slice_of(TopicPartition("orders", number), offsets, 100 * number))
    whole = Batch(tuple(slices), "cluster")

    writes = list(whole.split(most))

    assert [r for write in writes for r in write.records()] == list(whole.records())
    assert all(0 < write.size <= most for write in writes)
    assert all(write.size == most for write in writes[:-1])
    place = {part.tp: part.first_offset for part in whole.slices}
    for write in writes:
        for tp, (previous, following) in write.moves.items():
            assert place[tp] == previous
            place[tp] = following
    assert place == {part.tp: part.next_offset for part in whole.slices}


def test_an_empty_cut_is_not_made() -> None:
    whole = batch_of(slice_of(ORDERS_0, [0]), slice_of(ORDERS_1, [0]))
    assert [len(write.slices) for write in whole.split(1)] == [1, 1]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_moves_name_each_partition_once(most: int) -> None:
    whole = batch_of(slice_of(ORDERS_0, [0, 1, 2]), slice_of(ORDERS_1, [0, 1, 2]))
    for write in whole.split(most):
        assert sorted(write.moves) == sorted(write.partitions)
