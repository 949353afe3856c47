"""Cases, with who works on them and what was done."""

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page

_SQL = load("cases")


async def listed(connection: Connection, wanted: Row, page: Page) -> list[Row]:
    """Cases, the oldest first; keyset (opened_at, case_id).

    wanted: state, kind, assignee, object_kind and object_key, each None for all.
    """
    named = [wanted[name] for name in ("state", "kind", "assignee", "object_kind", "object_key")]
    return await rows(connection, _SQL["listed"], *named, *page.keyset(2), page.limit)


async def get(connection: Connection, case_id: Key) -> Row | None:
    """One case; None if there is none."""
    return await row(connection, _SQL["get"], case_id)


async def steps(connection: Connection, case_id: Key) -> list[Row]:
    """What people did with it, in time order; at most 1,000."""
    return await rows(connection, _SQL["steps"], case_id)
