"""Stock positions by place. Every channel may see all of them: stock belongs to no channel."""

from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page

_SQL = load("stock")


async def item(connection: Connection, sku: str) -> Row | None:
    """The item's name and unit (null if only stock knows it); None if nothing knows it."""
    return await row(connection, _SQL["item"], sku)


async def positions(connection: Connection, sku: str, page: Page, channel: str | None) -> list[Row]:
    """Where the item lies, by place; keyset (place,). With the allotments of a
    channel, or of all."""
    return await rows(connection, _SQL["positions"], sku, *page.keyset(1), page.limit, channel)
