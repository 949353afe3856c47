"""Allotments: what is kept of an item at a place for one channel, or one live session of it. Pure.

A target is what the hub wants the channel to have, a confirmation what the channel's own counter
says: they are kept apart. While a session is open its channel's sales draw from the session's
allotment, at all other times from the channel's own; each counts sales from the time it was set.
So what is left is a function of targets, sessions and movements, in whatever order they came.
"""

from msgspec import Struct

from hub.domain import ids, money, payloads
from hub.domain.envelope import BadEvent
from hub.domain.ids import Key


class At(Struct, frozen=True):
    """Whose allotment, of what: session is empty for the channel's own."""

    channel: str
    session: str
    sku: str
    place: str

    @property
    def key(self) -> Key:
        return ids.allotment_id(self.channel, self.session, self.sku, self.place)


class Target(Struct, frozen=True):
    """What is to be kept, in thousandths; the buffer comes on top."""

    at: At
    target_milli: int
    buffer_milli: int


class Confirmed(Struct, frozen=True):
    """What the channel's counter says, in thousandths."""

    at: At
    quantity_milli: int


def held_milli(target_milli: int, buffer_milli: int, drawn_milli: int) -> int:
    """What is kept from others: what is left of the target, and its buffer while any is left."""
    left = min(target_milli, target_milli - drawn_milli)
    return left + buffer_milli if left > 0 else 0


def read_set(payload: payloads.allotments.AllotmentSet) -> Target:
    at = At(payload.channel, payload.session or "", payload.sku, payload.place)
    quantity = _milli(payload.quantity, "quantity")
    return Target(at, quantity, _milli(payload.buffer, "buffer"))


def read_confirmed(channel: str, payload: payloads.allotments.AllotmentConfirmed) -> Confirmed:
    at = At(channel, payload.session or "", payload.sku, payload.place)
    return Confirmed(at, _milli(payload.quantity, "quantity"))


def _milli(value: str, field: str) -> int:
    try:
        quantity = money.milli(value)
    except money.BadNumber as bad:
        raise BadEvent("bad_quantity", str(bad), f"$.data.{field}") from None
    if quantity < 0:
        raise BadEvent("negative_quantity", f"'{value}' is below 0", f"$.data.{field}")
    return quantity
