"""Points accounts and their ledger entries, of profiles the viewer was found to see."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, rows
from hub.store.reads.viewer import Page

_SQL = load("points")


async def accounts(connection: Connection, profile_ids: list[Key]) -> list[Row]:
    """One account for each of these profiles that ever had points."""
    return await rows(connection, _SQL["accounts"], profile_ids)


async def entries(connection: Connection, profile_ids: list[Key], page: Page) -> list[Row]:
    """Ledger entries, newest first; keyset (occurred_at, entry_id)."""
    return await rows(connection, _SQL["entries"], profile_ids, *page.keyset(2), page.limit)
