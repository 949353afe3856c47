"""Where each partition must go on: nothing skipped, nothing taken twice.

The fetch position of the Kafka client is not to be trusted: records are lost on their way when
a rebalance or a seek comes during the fetch, while the position has moved on. So each read must
begin exactly where the one before ended; then what is missing in it is missing in the log
(compaction, transaction markers). Not here: seeking (`streams.transport.consumer`).
"""

import enum
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from streams.transport.batch import Read, Slice


class Verdict(enum.Enum):
    """What to do with a read."""

    TAKE = "it begins where the partition was left"
    GAP = "it begins there, and the log has nothing at that place"
    REREAD = "it begins elsewhere: seek back and read again"
    FOREIGN = "the partition is not ours to read"


class Positions:
    """The next offset of each partition of one assignment: to be read, and in Postgres."""

    def __init__(self, starts: Mapping[TopicPartition, int]) -> None:
        """`starts` are the offsets Postgres holds now."""
        # Where the next read must begin; where the last slice ended; what Postgres holds.
        self._expected = dict(starts)
        self._taken = dict(starts)
        self._stored = dict(starts)

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """The partitions that are read."""
        return frozenset(self._expected)

    def expected(self, tp: TopicPartition) -> int:
        """The offset that the next read of this partition must begin at."""
        return self._expected[tp]

    def stored(self) -> dict[TopicPartition, int]:
        """What Postgres holds, as far as this worker knows."""
        return dict(self._stored)

    def reached(self) -> dict[TopicPartition, int]:
        """Up to where each partition is done, counting a gap at the end of the log."""
        return {
            tp: self._expected[tp] if self.is_idle(tp) else stored
            for tp, stored in self._stored.items()
        }

    def is_idle(self, tp: TopicPartition) -> bool:
        """Whether all that was taken is stored."""
        return self._taken[tp] == self._stored[tp]

    def judge(self, tp: TopicPartition, read: Read) -> Verdict:
        """What to do with a read."""
        expected = self._expected.get(tp)
        if expected is None:
            return Verdict.FOREIGN
        first = read.records[0].offset if read.records else read.end
        if first == expected:
            return Verdict.TAKE
        if read.begin == expected and first > expected:
            return Verdict.GAP
        return Verdict.REREAD

    def slice(self, tp: TopicPartition, read: Read) -> Slice:
        """The read as a slice that follows the last one."""
        return Slice(tp, read.records, self._taken[tp], read.end)

    def take(self, part: Slice) -> None:
        """The slice is handed on; the next one begins where it ends."""
        if part.first_offset != self._taken[part.tp]:
            raise AssertionError(f"{part.tp} taken at {part.first_offset}, not where it was left")
        self._taken[part.tp] = self._expected[part.tp] = part.next_offset

    def pass_over(self, tp: TopicPartition, end: int) -> None:
        """The log has no records from where the partition was left up to `end`."""
        self._expected[tp] = end

    def may_store(self, slices: Iterable[Slice]) -> bool:
        """Whether each slice begins where Postgres is. Nothing may be awaited after asking."""
        return all(self._stored.get(part.tp) == part.first_offset for part in slices)

    def mark_stored(self, slices: Iterable[Slice]) -> None:
        """The slices are in Postgres."""
        for part in slices:
            self._stored[part.tp] = part.next_offset
