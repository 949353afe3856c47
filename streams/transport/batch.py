"""What the transport hands over: a batch of records, and what a handler must offer.

Not here: any handler (`streams.processors`), and how offsets are kept (`hub.store.offsets`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import ConsumerRecord, TopicPartition

from hub.store.offsets import StoredOffset

# Keys and values are bytes or None, exactly as they came: the handler decodes.
Record = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Read:
    """What the client read of one partition, from `begin` up to `end`.

    The log has nothing there but these records, maybe none. `begin` is None if it isn't known.
    """

    records: Sequence[Record]
    begin: int | None
    end: int


@dataclass(frozen=True, slots=True)
class Slice:
    """Consecutive records of one partition.

    `first_offset` is where the partition was left, `next_offset` where it goes on. Offsets may
    be missing at both ends and between (compaction, transaction markers).
    """

    tp: TopicPartition
    records: Sequence[Record]
    first_offset: int
    next_offset: int

    def cut(self, count: int) -> tuple["Slice", "Slice"]:
        """The first `count` records (at least one fewer than there are), and the others."""
        head, tail = self.records[:count], self.records[count:]
        border = tail[0].offset
        return (
            Slice(self.tp, head, self.first_offset, border),
            Slice(self.tp, tail, border, self.next_offset),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Slices of different partitions that are stored together."""

    slices: tuple[Slice, ...]
    cluster_id: str

    @property
    def size(self) -> int:
        """How many records there are."""
        return sum(len(part.records) for part in self.slices)

    @property
    def moves(self) -> dict[TopicPartition, tuple[int, int]]:
        """From where to where each partition's offset moves, as `hub.store.offsets` wants it."""
        return {part.tp: (part.first_offset, part.next_offset) for part in self.slices}

    @property
    def partitions(self) -> tuple[TopicPartition, ...]:
        """The partitions, in the slices' order."""
        return tuple(part.tp for part in self.slices)

    def records(self) -> Iterator[Record]:
        """All records; those of one partition in their order."""
        for part in self.slices:
            yield from part.records

    @property
    def bytes(self) -> int:
        """The size of all values (a tombstone's is given as -1)."""
        return sum(record.serialized_value_size for record in self.records())

    def split(self, records_max: int, bytes_max: int | None = None) -> Iterator["Batch"]:
        """The same records in smaller batches, each partition's in order.

        At most `records_max` records each; at most `bytes_max` bytes, unless it's one record.
        """
        for part in self._split(records_max):
            if bytes_max is not None and part.size > 1 and part.bytes > bytes_max:
                yield from part.split((part.size + 1) // 2, bytes_max)
            else:
                yield part

    def _split(self, records_max: int) -> Iterator["Batch"]:
        ready: list[Slice] = []
        room = records_max
        for part in self.slices:
            rest = part
            while len(rest.records) > room:
                head, rest = rest.cut(room)
                yield Batch((*ready, head), self.cluster_id)
                ready, room = [], records_max
            ready.append(rest)
            room -= len(rest.records)
            if room == 0:
                yield Batch(tuple(ready), self.cluster_id)
                ready, room = [], records_max
        if ready:
            yield Batch(tuple(ready), self.cluster_id)


class BatchHandler(Protocol):
    """Decodes and stores batches. Several `store` calls run at once, one for each lane."""

    async def start(self) -> None:
        """Get ready; called before the first batch. An error ends the worker."""
        ...

    async def stop(self) -> None:
        """Let go of connections; called after the last batch."""
        ...

    async def stored_offsets(
        self, tps: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, StoredOffset]:
        """What Postgres holds, read on a fresh or known good connection.

        A partition without a row is missing: it is read from the beginning.
        """
        ...

    def decode(self, batch: Batch) -> Any:
        """Turn bytes into what `store` wants: CPU only, no state, never an exception.

        Called while the batch before is still being stored. What can't be decoded belongs
        into the dead letters that `store` writes.
        """
        ...

    async def store(self, decoded: Any, batch: Batch) -> None:
        """Store one batch and move its offsets (`batch.moves`), in one transaction.

        Returns after COMMIT. Raises `FencedError` if the offsets are not where the batch
        begins. After any other error, and after being cancelled, nothing is known: the
        connection must be dropped, and the transport reads the offsets before it tries again
        with the same arguments.
        """
        ...
