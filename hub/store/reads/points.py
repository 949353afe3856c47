"""Points accounts and their ledger entries, of profiles the viewer was found to see."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, rows
from hub.store.reads.viewer import Page, Viewer

_SQL = load("points")


async def accounts(connection: Connection, profile_ids: list[Key]) -> list[Row]:
    """One account for each of these profiles that ever had points."""
    return await rows(connection, _SQL["accounts"], profile_ids)


async def entries(connection: Connection, profile_ids: list[Key], page: Page) -> list[Row]:
    """Ledger entries, newest first; keyset (occurred_at, entry_id)."""
    return await rows(connection, _SQL["entries"], profile_ids, *page.keyset(2), page.limit)


async def lots(connection: Connection, profile_ids: list[Key], limit: int) -> list[Row]:
    """The lots that hold open or pending points, those that end first come first."""
    return await rows(connection, _SQL["lots"], profile_ids, limit)


async def causes(
    connection: Connection,
    viewer: Viewer,
    profile_ids: list[Key],
    lot_ids: list[Key] | None,
    limit: int,
) -> list[Row]:
    """Entries with their events, newest first: of these lots, or (None) of what was taken."""
    return await rows(connection, _SQL["causes"], *viewer.arguments, profile_ids, lot_ids, limit)


async def rules(connection: Connection) -> dict[str, str]:
    """Why each version of the rule that was published is as it is, by its name."""
    found = await rows(connection, _SQL["rules"])
    return {row["rule_version"]: row["reason"] for row in found}
