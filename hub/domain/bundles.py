"""Bundles: items that consist of others, which are what is sold, held and given out. Pure.

Which components a line of an order takes is in `hub.domain.supply`.
"""

from collections.abc import Iterable

from hub.domain import money, payloads
from hub.domain.envelope import BadEvent

Components = tuple[tuple[str, int], ...]
"""(sku, thousandths in one unit of the bundle), each item once; nothing for what is no bundle."""


def taken_milli(bundle_milli: int, per_unit_milli: int) -> int:
    """How much of a component so much of a bundle takes, in thousandths."""
    return bundle_milli * per_unit_milli // 1000


def read(said: Iterable[payloads.Component], sku: str, field: str) -> Components:
    """(sku, thousandths) of one unit of a bundle, summed by item."""
    summed: dict[str, int] = {}
    for i, part in enumerate(said):
        try:
            quantity = money.milli(part.quantity)
        except money.BadNumber as bad:
            raise BadEvent("bad_quantity", str(bad), f"{field}[{i}].quantity") from None
        if quantity <= 0:
            reason = f"'{part.quantity}' is not above 0"
            raise BadEvent("bad_quantity", reason, f"{field}[{i}].quantity")
        if part.sku == sku:
            reason = f"{sku} cannot be a component of itself"
            raise BadEvent("component_of_itself", reason, f"{field}[{i}].sku")
        summed[part.sku] = summed.get(part.sku, 0) + quantity
    return tuple(sorted(summed.items()))
