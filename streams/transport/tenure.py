"""One tenure: what a worker does between being given partitions and losing them.

Each assignment, and each new start after a fence, gets a tenure of its own with fresh positions
and lanes, so nothing of the one before can slip in. Not here: fetching and seeking
(`streams.transport.consumer`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition

from streams.transport.batch import Batch, BatchHandler, Read
from streams.transport.config import StreamConfig
from streams.transport.lanes import Lane, Lanes
from streams.transport.positions import Positions, Verdict
from streams.transport.settling import Settling
from streams.transport.state import TransportState


@dataclass
class Sorted:
    """Reads to be handed on, to be read again, and good ones only if the log was not cut."""

    good: dict[TopicPartition, Read] = field(default_factory=dict)
    rereads: dict[TopicPartition, int] = field(default_factory=dict)
    gaps: dict[TopicPartition, Read] = field(default_factory=dict)


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
        self._lanes = Lanes((), self.positions)

    def open(
        self,
        on_stored: Callable[[Batch, float], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """Begin to write what is handed on."""
        lanes = [
            Lane(
                self._handler,
                Settling(self._handler, self._state, f"lane {number}"),
                self.positions,
                self._config.write_records,
                on_stored,
            )
            for number in range(self._config.writers)
        ]
        self._lanes = Lanes(lanes, self.positions)
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

    def sort(self, reads: Mapping[TopicPartition, Read]) -> Sorted:
        """Look at each read: does it begin where its partition was left?"""
        found = Sorted()
        for tp, read in reads.items():
            match self.positions.judge(tp, read):
                case Verdict.TAKE:
                    found.good[tp] = read
                case Verdict.REREAD:
                    found.rereads[tp] = self.positions.expected(tp)
                case Verdict.GAP:
                    found.gaps[tp] = read
                case Verdict.FOREIGN:
                    pass
        return found

    def hand_on(self, good: Mapping[TopicPartition, Read]) -> None:
        """Give the lanes what was found good. Nothing is awaited here."""
        slices = []
        for tp, read in good.items():
            if read.records:
                slices.append(self.positions.slice(tp, read))
            else:
                self.positions.pass_over(tp, read.end)
        self._lanes.offer(slices, self.cluster_id)
