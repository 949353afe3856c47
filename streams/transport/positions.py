"""Where each partition must go on: nothing skipped, nothing taken twice.

The fetch position of the Kafka client is not to be trusted: records are lost on their way when
a rebalance or a seek comes during the fetch, while the position has moved on. So each slice
must begin exactly where the one before ended. Not here: seeking (`streams.transport.consumer`).
"""

import enum
from collections.abc import Iterable, Mapping

from aiokafka import TopicPartition

from streams.transport.batch import Slice


class Verdict(enum.Enum):
    """What to do with fetched records."""

    TAKE = "they begin where the partition was left"
    REREAD = "they begin elsewhere: seek back and read again"
    GAP = "read again, they begin at the same later offset: the log has a gap"
    FOREIGN = "the partition is not ours to read"


class Positions:
    """The next offset of each partition of one assignment: to be fetched, and in Postgres."""

    def __init__(self, starts: Mapping[TopicPartition, int]) -> None:
        """`starts` are the offsets Postgres holds now."""
        self._expected = dict(starts)
        self._stored = dict(starts)
        self._doubted: set[TopicPartition] = set()
        self._tails: dict[TopicPartition, int] = {}

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """The partitions that are read."""
        return frozenset(self._expected)

    def expected(self, tp: TopicPartition) -> int:
        """The offset that the next records of this partition must begin at."""
        return self._expected[tp]

    def stored(self) -> dict[TopicPartition, int]:
        """What Postgres holds, as far as this worker knows."""
        return dict(self._stored)

    def reached(self) -> dict[TopicPartition, int]:
        """Up to where each partition is done, counting a gap at the end of the log."""
        return {tp: self._tails.get(tp, offset) for tp, offset in self._stored.items()}

    def judge(self, tp: TopicPartition, first_offset: int) -> Verdict:
        """What to do with records that begin at `first_offset`."""
        expected = self._expected.get(tp)
        if expected is None:
            return Verdict.FOREIGN
        if first_offset == expected:
            return Verdict.TAKE
        if first_offset > expected and tp in self._doubted:
            return Verdict.GAP
        if first_offset > expected:
            self._doubted.add(tp)
        return Verdict.REREAD

    def take(self, part: Slice) -> None:
        """The slice is handed on; the next one begins where it ends."""
        if part.first_offset != self._expected[part.tp]:
            raise AssertionError(f"{part.tp} taken at {part.first_offset}, not where it was left")
        self._expected[part.tp] = part.next_offset
        self._doubted.discard(part.tp)
        self._tails.pop(part.tp, None)

    def may_store(self, slices: Iterable[Slice]) -> bool:
        """Whether each slice begins where Postgres is. Nothing may be awaited after asking."""
        return all(self._stored.get(part.tp) == part.first_offset for part in slices)

    def mark_stored(self, slices: Iterable[Slice]) -> None:
        """The slices are in Postgres."""
        for part in slices:
            self._stored[part.tp] = part.next_offset

    def is_idle(self, tp: TopicPartition) -> bool:
        """Whether all that was taken is stored."""
        return self._expected[tp] == self._stored[tp]

    def is_tail(self, tp: TopicPartition, position: int) -> bool:
        """Whether the client, at `position`, has passed over a gap at the end of the log.

        The first time this is doubted (False), and the caller seeks back and reads again.
        """
        expected = self._expected[tp]
        if position <= expected or not self.is_idle(tp):
            return False
        if tp in self._doubted:
            self._tails[tp] = position
            return True
        self._doubted.add(tp)
        return False
