"""Capacity by store and slot: made-to-order goods have it instead of stock. Pure.

A slot at a store is a stock item of its own, named by the moment it begins. So capacity is counted,
reserved, committed and oversold like any other stock, in the same transaction as all the rest.
"""

from datetime import UTC, datetime

from hub.domain.order_data import Line, Pickup

NO_STOCK = ""
"""Stands for the item of goods that are made to order for no slot: nothing is taken of anything."""
_PREFIX = "slot@"


def sku_of(slot_from: datetime) -> str:
    """The item that stands for the slot which begins at this time, in UTC to the minute."""
    return f"{_PREFIX}{slot_from.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def stock_sku(line: Line, pickup: Pickup | None) -> str:
    """The stock item that a line takes: its own, or the slot's if it is made for it."""
    if not line.is_made_to_order:
        return line.sku
    return sku_of(pickup.slot_from) if pickup is not None else NO_STOCK
