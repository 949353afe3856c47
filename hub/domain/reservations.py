"""Reservations: stock held for an order that is not placed yet. Pure.

A reservation and its order are one entity, named by channel, shop and order number: once the order
is placed it takes the place of its reservation, whichever of the two the hub heard of first.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import bundles, money, payloads, slots
from hub.domain.envelope import APPLIED, BadEvent, Verdict, ignored, parked, utc

Status = Literal["held", "committed", "released", "expired"]
Move = tuple[str, str, str, int, int, int]
"""(sku, place, kind, on hand, committed, reserved), in thousandths."""
ENDINGS: dict[str, Status] = {
    "reservation.committed": "committed",
    "reservation.released": "released",
    "reservation.expired": "expired",
}
HOLDING = ("held", "committed")


class Reservation(Struct, frozen=True):
    """Quantities by item at one place, in thousandths, and until when they are held."""

    place: str
    quantities_milli: dict[str, int]
    expires_at: datetime
    status: Status = "held"


def read(payload: payloads.orders.ReservationContent) -> Reservation:
    """The reservation that an event makes; demand for one item is summed over its lines."""
    quantities: dict[str, int] = {}
    for i, item in enumerate(payload.items):
        field = f"$.data.items[{i}].quantity"
        try:
            quantity = money.milli(item.quantity)
        except money.BadNumber as bad:
            raise BadEvent("bad_quantity", str(bad), field) from None
        if quantity <= 0:
            raise BadEvent("bad_quantity", f"'{item.quantity}' is not above 0", field)
        sku = item.sku
        if item.made_to_order:
            if payload.slot_from is None:
                reason = f"{sku} is made to order: name the slot"
                raise BadEvent("slot_missing", reason, "$.data.slot_from")
            sku = slots.sku_of(utc(payload.slot_from, "$.data.slot_from"))
        parts = bundles.read(item.components or (), sku, f"$.data.items[{i}].components")
        if parts and not item.made_to_order:
            for part, per_unit in parts:
                taken = bundles.taken_milli(quantity, per_unit)
                quantities[part] = quantities.get(part, 0) + taken
        else:
            quantities[sku] = quantities.get(sku, 0) + quantity
    return Reservation(payload.place, quantities, utc(payload.expires_at, "$.data.expires_at"))


def hold(
    known: Reservation | None, wanted: Reservation, moves: list[Move] | None
) -> tuple[Reservation | None, Verdict]:
    """Hold what is wanted, unless something is held already.

    moves: takes the changes of stock; None once the order is placed, which has its own.
    """
    if known is not None and known.status in HOLDING:
        return known, ignored(f"a reservation is {known.status} already")
    if moves is not None:
        for sku, quantity in wanted.quantities_milli.items():
            moves.append((sku, wanted.place, "reserved", 0, 0, quantity))
    return wanted, APPLIED


def end(
    known: Reservation | None, status: Status, moves: list[Move] | None
) -> tuple[Reservation | None, Verdict]:
    """Commit what is held, or let it go."""
    if known is None:
        return None, parked("reservation.created")
    if known.status != "held":
        return known, ignored(f"the reservation was {known.status} before")
    if moves is not None:
        kept = 1 if status == "committed" else 0
        kind = "committed" if kept else "released"
        for sku, quantity in known.quantities_milli.items():
            moves.append((sku, known.place, kind, 0, kept * quantity, -quantity))
    return replace(known, status=status), APPLIED
