"""One tenure: what a worker does between being given partitions and losing them.

Each assignment, and each new start after a fence, gets a tenure of its own with fresh positions
and lanes, so nothing of the one before can slip in. Not here: fetching and seeking
(`streams.transport.consumer`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from streams.transport.batch import Batch, BatchHandler, Record, Slice
from streams.transport.config import StreamConfig
from streams.transport.lanes import Lane, Lanes
from streams.transport.positions import Positions, Verdict
from streams.transport.settling import Settling
from streams.transport.state import TransportState

Records = Sequence[Record]


@dataclass
class Sorted:
    """What became of fetched records: handed on, to be read again, or after a gap."""

    rereads: dict[TopicPartition, int] = field(default_factory=dict)
    gaps: dict[TopicPartition, Records] = field(default_factory=dict)


class Tenure:
    """Positions and lanes over the partitions of one assignment."""

    def __init__(
        self,
        config: StreamConfig,
        handler: BatchHandler,
        state: TransportState,
        starts: Mapping[TopicPartition, int],
        cluster_id: str,
    ) -> None:
        """`starts` are the offsets in Postgres, checked, to which the client was sought."""
        self.positions = Positions(starts)
        self.cluster_id = cluster_id
        self._config = config
        self._handler = handler
        self._state = state
        self._lanes = Lanes([], ())

    def open(
        self,
        on_stored: Callable[[Batch, float], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Begin to write what is handed on."""
        lanes = [
            Lane(
                self._handler,
                Settling(self._handler, self._state),
                self.positions,
                self._config.write_records,
                on_stored,
            )
            for _ in range(self._config.writers)
        ]
        self._lanes = Lanes(lanes, self.positions.partitions)
        self._lanes.open(on_failure)

    async def close(self, patience_s: float) -> None:
        """Let the writes in flight end; forget the rest."""
        await self._lanes.close(patience_s)

    def fetchable(self) -> frozenset[TopicPartition]:
        """The partitions whose lane has room."""
        return self._lanes.fetchable()

    async def wait_for_room(self, timeout_s: float) -> None:
        """Return when a full lane takes its batch, or after `timeout_s`."""
        await self._lanes.wait_for_room(timeout_s)

    def hand_on(self, fetched: Mapping[TopicPartition, Records]) -> Sorted:
        """Give the lanes what begins where its partition was left. Nothing is awaited here."""
        found = Sorted()
        slices: list[Slice] = []
        for tp, records in fetched.items():
            match self.positions.judge(tp, records[0].offset):
                case Verdict.TAKE:
                    slices.append(self._slice(tp, records))
                case Verdict.REREAD:
                    found.rereads[tp] = self.positions.expected(tp)
                case Verdict.GAP:
                    found.gaps[tp] = records
                case Verdict.FOREIGN:
                    pass
        self._offer(slices)
        return found

    def hand_on_after_gap(self, tp: TopicPartition, records: Records) -> None:
        """Hand on records that begin later than expected: the log has nothing before them."""
        self._offer([self._slice(tp, records)])

    def _slice(self, tp: TopicPartition, records: Records) -> Slice:
        return Slice(tp, records, self.positions.expected(tp), records[-1].offset + 1)

    def _offer(self, slices: Sequence[Slice]) -> None:
        of_lane: dict[Lane, list[Slice]] = {}
        for part in slices:
            of_lane.setdefault(self._lanes.lane_of(part.tp), []).append(part)
        for lane, parts in of_lane.items():
            for part in parts:
                self.positions.take(part)
            lane.offer(Batch(tuple(parts), self.cluster_id))
