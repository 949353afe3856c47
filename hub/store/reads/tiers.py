"""Levels of a member whom the viewer was found to see, and how they changed."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, rows
from hub.store.reads.viewer import Viewer

_SQL = load("tiers")


async def of_member(connection: Connection, viewer: Viewer, member_id: Key) -> list[Row]:
    """The level in each scheme; `value` is null for those who do not see the member whole."""
    return await rows(connection, _SQL["of_member"], *viewer.arguments, member_id)


async def reported(connection: Connection, viewer: Viewer, member_id: Key) -> list[Row]:
    """The levels that platforms report of the member's accounts, with what they are called here."""
    return await rows(connection, _SQL["reported"], *viewer.arguments, member_id)


async def changes(connection: Connection, member_id: Key, limit: int) -> list[Row]:
    """Changes of levels, newest first."""
    return await rows(connection, _SQL["changes"], member_id, limit)
