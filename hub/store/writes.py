"""Figures of each stream write: for live boards, not for state."""

from collections.abc import Sequence

from hub.store.db import Connection, queries
from hub.store.records import Record, Tally


async def note(
    connection: Connection,
    worker: str,
    records: Sequence[Record],
    tally: Tally,
    duration_ms: float,
) -> None:
    """Keep what one write did. duration_ms: from the offsets' move to before COMMIT."""
    if not records:
        return
    await connection.execute(
        queries("writes")["note"],
        worker,
        records[0].topic,
        tally.events,
        tally.applied,
        tally.ignored,
        tally.parked,
        tally.dead_letters,
        tally.duplicates,
        duration_ms,
        min(record.produced_at for record in records),
    )
