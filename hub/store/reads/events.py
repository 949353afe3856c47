"""What became of an event: its outcome, its dead letter, how far the hub has read."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, row, rows

_SQL = load("events")


async def outcomes(connection: Connection, event_keys: list[Key]) -> list[Row]:
    """The outcomes of those of these events that were stored."""
    return await rows(connection, _SQL["outcomes"], event_keys)


async def dead_letters_of(connection: Connection, sources: list[str], event_id: str) -> list[Row]:
    """The dead letters of an event, without their bytes, the newest first; at most 10."""
    return await rows(connection, _SQL["dead_letters_of"], sources, event_id)


async def next_offset(connection: Connection, topic: str, partition: int) -> int:
    """The offset below which the hub has stored every record of the partition."""
    found = await row(connection, _SQL["next_offset"], topic, partition)
    return (found or {}).get("next_offset") or 0
