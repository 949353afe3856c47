"""How far a consumer group has read each partition: the rows that move with the data.

A row moves by compare-and-set inside the transaction that stores the data, so a worker that
lost its partition can't write (it is fenced) and no batch counts twice. Not here: what is done
with the offsets (`streams.transport`), the table itself (`hub.store.migrations`).
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

import asyncpg

from hub.errors import HubError

# A pool hands out a proxy with the connection's methods.
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
# (topic, partition); the Kafka client's own named tuple is one.
Partition = TypeVar("Partition", bound=tuple[str, int])

LOAD = """
select o.topic, o.partition, o.next_offset, o.cluster_id
from log.offsets as o
inner join unnest($2::text[], $3::int[]) as t (topic, partition)
    on o.topic = t.topic and o.partition = t.partition
where o.consumer_group = $1
"""

ADVANCE = """
update log.offsets as o
set next_offset = t.next_offset, cluster_id = $6, updated_at = now()
from
    unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[])
        as t (topic, partition, previous_offset, next_offset)
where
    o.consumer_group = $1
    and o.topic = t.topic
    and o.partition = t.partition
    and o.next_offset = t.previous_offset
"""

# For partitions never stored before. A row that exists has moved: it is left alone.
BEGIN = """
insert into log.offsets (consumer_group, topic, partition, next_offset, cluster_id)
select $1, t.topic, t.partition, t.next_offset, $5
from unnest($2::text[], $3::int[], $4::bigint[]) as t (topic, partition, next_offset)
order by t.topic, t.partition
on conflict on constraint offsets_pk do nothing
"""


class FencedError(HubError):
    """Another worker has moved the offsets of this batch: nothing of it may be stored."""


class StoredOffset(NamedTuple):
    """Where a group goes on in a partition, and of which Kafka cluster that holds."""

    next_offset: int
    cluster_id: str


async def load(
    connection: Connection, group: str, partitions: Iterable[Partition]
) -> dict[Partition, StoredOffset]:
    """The stored offsets; a partition without one is missing (read from the beginning)."""
    wanted = {(tp[0], tp[1]): tp for tp in partitions}
    rows = await connection.fetch(LOAD, group, *_columns(wanted))
    return {
        wanted[row["topic"], row["partition"]]: StoredOffset(row["next_offset"], row["cluster_id"])
        for row in rows
    }


async def advance(
    connection: Connection,
    group: str,
    moves: Mapping[Partition, tuple[int, int]],
    cluster_id: str,
) -> None:
    """Move each partition from its previous to its next offset, in the caller's transaction.

    Raises `FencedError` if any row is not where it was left: roll the transaction back.
    """
    columns = _columns(moves)
    previous = [move[0] for move in moves.values()]
    following = [move[1] for move in moves.values()]
    moved = _count(
        await connection.execute(ADVANCE, group, *columns, previous, following, cluster_id)
    )
    if moved < len(moves):
        moved += _count(await connection.execute(BEGIN, group, *columns, following, cluster_id))
    if moved != len(moves):
        places = ", ".join(f"{tp[0]}/{tp[1]}" for tp in moves)
        raise FencedError(f"the group {group} no longer holds its place in {places}")


def _count(status: str) -> int:
    """The number of rows in a command's status, such as `UPDATE 3`."""
    return int(status.rpartition(" ")[2])


def _columns(partitions: Iterable[tuple[str, int]]) -> tuple[list[str], list[int]]:
    pairs = list(partitions)
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
