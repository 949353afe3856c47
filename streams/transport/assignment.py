"""May a partition be read from where Postgres says? Never a silent skip.

Offsets mean something only in the cluster and the log they were counted in: a recreated topic
or another cluster has smaller ones, a log past its retention larger ones. Not here: reading
the offsets and the log's ends (`streams.transport.consumer`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from hub.store.offsets import StoredOffset

MEND = "find out what happened to the topic, then set log.offsets for this partition by hand"


@dataclass(frozen=True)
class Log:
    """What the broker says of one partition. `end_offset` is the end of committed records."""

    cluster_id: str
    begin_offset: int
    end_offset: int


@dataclass(frozen=True)
class Starts:
    """From where to read, and what not to read at all (with the reason)."""

    offsets: dict[TopicPartition, int]
    refused: dict[TopicPartition, str]


def starts(
    logs: Mapping[TopicPartition, Log], stored: Mapping[TopicPartition, StoredOffset]
) -> Starts:
    """Judge each partition of `logs`; one that was never stored begins at its log's begin."""
    found = Starts({}, {})
    for tp, log in logs.items():
        place = stored.get(tp)
        reason = None if place is None else refusal(place, log)
        if reason is not None:
            found.refused[tp] = reason
        else:
            found.offsets[tp] = log.begin_offset if place is None else place.next_offset
    return found


def refusal(place: StoredOffset, log: Log) -> str | None:
    """Why reading can't go on from this place; None if it can."""
    if place.cluster_id != log.cluster_id:
        return (
            f"the stored offset {place.next_offset} belongs to cluster {place.cluster_id!r}, "
            f"this is {log.cluster_id!r}; {MEND}"
        )
    if place.next_offset < log.begin_offset:
        return lost(place.next_offset, log.begin_offset)
    if place.next_offset > log.end_offset:
        return (
            f"the stored offset {place.next_offset} is past the log's end {log.end_offset}: "
            f"the topic was recreated, or the broker lost records; {MEND}"
        )
    return None


def lost(next_offset: int, begin_offset: int) -> str:
    """What to say when the broker deleted records before they were read."""
    return (
        f"the log begins at {begin_offset}, after the stored offset {next_offset}: "
        f"{begin_offset - next_offset} records were deleted unread; {MEND}"
    )
