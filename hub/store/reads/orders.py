"""Orders and their lines, as far as a viewer may see them."""

from datetime import datetime

from hub.domain.ids import Key
from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page, Viewer

_SQL = load("orders")


async def get(
    connection: Connection, viewer: Viewer, order_ids: list[Key], limit: int = 100
) -> list[Row]:
    """Those of these orders that exist and that the viewer may see, without lines."""
    return await rows(connection, _SQL["get"], *viewer.arguments, order_ids, limit)


async def lines(connection: Connection, order_id: Key) -> list[Row]:
    """The lines of an order the viewer was already found to see."""
    return await rows(connection, _SQL["lines"], order_id)


async def beside(connection: Connection, order_id: Key) -> tuple[Row | None, list[Row], list[Row]]:
    """What few orders have: its details (None: it has none), refunds, and after-sale requests."""
    details = await row(connection, _SQL["details"], order_id)
    refunds = await rows(connection, _SQL["refunds"], order_id)
    return details, refunds, await rows(connection, _SQL["aftersales"], order_id)


async def timeline(connection: Connection, viewer: Viewer, order_id: Key, page: Page) -> list[Row]:
    """What happened to it in all systems, newest first; keyset (occurred_at, event_key)."""
    asked = (*viewer.arguments, order_id, *page.keyset(2), page.limit)
    return await rows(connection, _SQL["timeline"], *asked)


async def waiting_at(connection: Connection, place: str, since: datetime, page: Page) -> list[Row]:
    """Paid orders placed since then that wait at a place to be picked up, the earliest wanted
    first, each with its lines; keyset (wanted_at, order_id)."""
    asked = (place, since, *page.keyset(2), page.limit)
    return await rows(connection, _SQL["waiting_at"], *asked)


async def shops(connection: Connection, channel: str) -> list[str]:
    """The names of the channel's shops; at most 10,000."""
    return [found["shop"] for found in await rows(connection, _SQL["shops"], channel)]


async def of_profiles(connection: Connection, profile_ids: list[Key], page: Page) -> list[Row]:
    """Orders of these profiles, newest first; keyset (listed_at, order_id)."""
    return await rows(connection, _SQL["of_profiles"], profile_ids, *page.keyset(2), page.limit)
