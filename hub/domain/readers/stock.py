"""Stock: named by item and place, whichever channel tells of it."""

from collections.abc import Callable
from typing import Any

from hub.domain import ids, stock
from hub.domain.readers.base import Read, Reader


def _stock(read: Callable[[Any], Any]) -> Reader:
    def reader(channel: str, shop: str, payload: Any) -> Read:
        place = getattr(payload, "place", None) or payload.from_place
        return "stock", payload.sku, ids.stock_id(payload.sku, place), read(payload)

    return reader


READERS: dict[str, Reader] = {
    "stock.adjusted": _stock(stock.read_delta),
    "stock.counted": _stock(stock.read_count),
    "stock.received": _stock(stock.read_received),
    "stock.damaged": _stock(stock.read_damaged),
    "stock.transferred": _stock(stock.read_transfer),
}
DECIDED: frozenset[str] = frozenset()
