"""A stored offset that does not fit the log is refused with its reason, never skipped."""

import pytest
from aiokafka import TopicPartition

from hub.store.offsets import StoredOffset
from streams.transport.assignment import Log, starts

TP = TopicPartition("orders", 0)
LOG = Log("mine", begin_offset=50, end_offset=100)


@pytest.mark.parametrize("offset", [50, 75, 100])
def test_an_offset_within_the_log_is_where_reading_goes_on(offset: int) -> None:
    found = starts({TP: LOG}, {TP: StoredOffset(offset, "mine")})
    assert found.offsets == {TP: offset}
    assert found.refused == {}


def test_a_partition_never_stored_is_read_from_the_beginning_of_its_log() -> None:
    assert starts({TP: LOG}, {}).offsets == {TP: 50}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (StoredOffset(49, "mine"), "1 records were deleted unread"),
        (StoredOffset(101, "mine"), "past the log's end 100"),
        (StoredOffset(75, "another"), "belongs to cluster 'another'"),
    ],
)
def test_an_offset_that_does_not_fit_is_refused(place: StoredOffset, reason: str) -> None:
    found = starts({TP: LOG}, {TP: place})
    assert found.offsets == {}
    assert reason in found.refused[TP]


def test_one_refused_partition_does_not_stop_another() -> None:
    other = TopicPartition("orders", 1)
    found = starts({TP: LOG, other: LOG}, {TP: StoredOffset(0, "mine")})
    assert found.offsets == {other: 50}
    assert set(found.refused) == {TP}
