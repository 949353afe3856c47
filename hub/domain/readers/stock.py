"""Stock: named by item and place, whichever channel tells of it."""

from collections.abc import Callable
from typing import Any

from hub.domain import ids, stock_data
from hub.domain.readers.base import Read, Reader


def _stock(read: Callable[[Any], Any]) -> Reader:
    def reader(channel: str, shop: str, payload: Any) -> Read:
        place = getattr(payload, "place", None) or payload.from_place
        return "stock", payload.sku, ids.stock_id(payload.sku, place), read(payload)

    return reader


def _capacity(channel: str, shop: str, payload: Any) -> Read:
    counted = stock_data.read_capacity(payload)
    return "stock", counted[0], ids.stock_id(counted[0], payload.place), counted


def _transfer(read: Callable[[Any], Any]) -> Reader:
    """A transfer of one item to one place: its steps may be told by different channels."""

    def reader(channel: str, shop: str, payload: Any) -> Read:
        key = ids.transfer_id(payload.transfer_id, payload.sku, payload.to_place)
        return "transfer", payload.transfer_id, key, read(payload)

    return reader


READERS: dict[str, Reader] = {
    "stock.adjusted": _stock(stock_data.read_delta),
    "stock.counted": _stock(stock_data.read_count),
    "capacity.set": _capacity,
    "stock.received": _stock(stock_data.read_received),
    "stock.damaged": _stock(stock_data.read_damaged),
    "stock.transferred": _stock(stock_data.read_transferred),
    "stock.blocked": _stock(stock_data.read_blocked),
    "stock.unblocked": _stock(stock_data.read_unblocked),
    "stock.inspected": _stock(stock_data.read_inspected),
    "stock.dispatched": _transfer(stock_data.read_dispatched),
    "stock.arrived": _transfer(stock_data.read_arrived),
    "stock.lost": _transfer(stock_data.read_lost),
}
DECIDED: frozenset[str] = frozenset()
