"""Nothing is skipped, nothing taken twice: the offset a partition goes on at is law."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from streams.transport.batch import Read, Slice
from streams.transport.positions import Positions, Verdict

TP = TopicPartition("orders", 0)
OTHER = TopicPartition("orders", 1)


def read(begin: int | None, first: int | None, end: int) -> Read:
    """One record at `first`, or none; read from `begin` up to `end`."""
    record = ConsumerRecord("orders", 0, first or 0, 0, 0, None, b"", None, -1, 0, ())
    return Read([] if first is None else [record], begin, end)


def part(first: int, following: int, tp: TopicPartition = TP) -> Slice:
    return Slice(tp, read(first, first, following).records, first, following)


@pytest.fixture
def positions() -> Positions:
    return Positions({TP: 100, OTHER: 0})


def test_records_that_go_on_where_the_partition_was_left_are_taken(positions: Positions) -> None:
    assert positions.judge(TP, read(100, 100, 150)) is Verdict.TAKE
    positions.take(part(100, 150))
    assert positions.judge(TP, read(150, 150, 151)) is Verdict.TAKE


def test_a_hole_is_a_loss_unless_the_reading_began_before_it(positions: Positions) -> None:
    assert positions.judge(TP, read(105, 105, 110)) is Verdict.REREAD
    assert positions.judge(TP, read(None, 105, 110)) is Verdict.REREAD
    assert positions.judge(TP, read(99, 105, 110)) is Verdict.REREAD
    assert positions.expected(TP) == 100


def test_a_hole_in_a_reading_that_began_where_it_should_is_in_the_log(
    positions: Positions,
) -> None:
    assert positions.judge(TP, read(100, 105, 110)) is Verdict.GAP


def test_losing_the_same_records_twice_does_not_make_them_a_gap(positions: Positions) -> None:
    for _ in range(3):
        assert positions.judge(TP, read(105, 105, 110)) is Verdict.REREAD


@pytest.mark.parametrize("begin", [None, 99, 100])
def test_records_already_taken_are_never_taken_again(
    positions: Positions, begin: int | None
) -> None:
    assert positions.judge(TP, read(begin, 99, 110)) is Verdict.REREAD


def test_a_partition_of_another_worker_is_left_alone(positions: Positions) -> None:
    assert positions.judge(TopicPartition("orders", 7), read(0, 0, 1)) is Verdict.FOREIGN


def test_markers_after_the_last_record_are_part_of_its_slice(positions: Positions) -> None:
    positions.take(positions.slice(TP, read(100, 100, 102)))
    assert positions.judge(TP, read(102, 102, 103)) is Verdict.TAKE


def test_a_gap_with_no_record_after_it_counts_as_done(positions: Positions) -> None:
    assert positions.judge(TP, read(100, None, 103)) is Verdict.GAP
    positions.pass_over(TP, 103)
    assert positions.reached()[TP] == 103
    assert positions.stored()[TP] == 100


def test_the_offset_moves_over_a_gap_with_the_next_records(positions: Positions) -> None:
    positions.pass_over(TP, 103)
    assert positions.judge(TP, read(103, 103, 104)) is Verdict.TAKE
    following = positions.slice(TP, read(103, 103, 104))
    assert (following.first_offset, following.next_offset) == (100, 104)
    assert positions.may_store([following])


def test_a_gap_does_not_count_while_records_before_it_are_not_stored(
    positions: Positions,
) -> None:
    positions.take(part(100, 101))
    positions.pass_over(TP, 103)
    assert positions.reached()[TP] == 100
    positions.mark_stored([part(100, 101)])
    assert positions.reached()[TP] == 103


def test_taking_from_the_wrong_place_breaks_loudly(positions: Positions) -> None:
    with pytest.raises(AssertionError, match="not where it was left"):
        positions.take(part(101, 102))


def test_only_what_goes_on_where_postgres_is_may_be_stored(positions: Positions) -> None:
    first, second = part(100, 150), part(150, 200)
    positions.take(first)
    positions.take(second)
    assert positions.may_store([first])
    assert not positions.may_store([second])
    positions.mark_stored([first])
    assert not positions.may_store([first])
    assert positions.may_store([second])


def test_a_write_with_one_stale_slice_may_not_be_stored(positions: Positions) -> None:
    assert not positions.may_store([part(100, 150), part(1, 2, OTHER)])
