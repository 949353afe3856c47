"""Stock positions by place. Every channel may see all of them: stock belongs to no channel."""

from dataclasses import dataclass

from hub.domain.ids import Key
from hub.store.overselling import case_id
from hub.store.reads.queries import Connection, Row, load, row, rows
from hub.store.reads.viewer import Page

_SQL = load("stock")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which positions: those whose SKU or name has the text, of a place, with nothing left."""

    text: str | None = None
    place: str | None = None
    is_short: bool = False


async def item(connection: Connection, sku: str) -> Row | None:
    """The item's name and unit (null if only stock knows it); None if nothing knows it."""
    return await row(connection, _SQL["item"], sku)


async def positions(connection: Connection, sku: str, page: Page, channel: str | None) -> list[Row]:
    """Where the item lies, by place; keyset (place,). With the allotments of a
    channel, or of all."""
    return await rows(connection, _SQL["positions"], sku, *page.keyset(1), page.limit, channel)


async def board(connection: Connection, sought: Sought, page: Page) -> list[Row]:
    """Positions of all items; keyset (sku, place). `awaited_by`: the subscriptions that are still
    to be told; `case_id`: the open case of one that was sold more than it has, else null."""
    asked = (sought.text, sought.place, sought.is_short, *page.keyset(2), page.limit)
    found = await rows(connection, _SQL["board"], *asked)
    cases = {case_id((row["sku"], row["place"])): row for row in found}
    opened = await rows(connection, _SQL["open_cases"], list(cases))
    open_ids = {one["case_id"] for one in opened}
    return [row | {"case_id": key if key in open_ids else None} for key, row in cases.items()]


async def told(connection: Connection, subscriptions: list[Key]) -> list[Row]:
    """Of each receiver: how many positions it is still to be told of, and when it was told last."""
    return await rows(connection, _SQL["told"], subscriptions)
