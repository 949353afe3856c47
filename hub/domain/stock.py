"""Stock: how changes and counts of one item at one place become its position. Pure.

A count says how much was there at the time it was measured; what happened later is added to it,
what happened earlier is contained in it. So the position after any set of changes and counts is
the newest count plus the changes after it, in whatever order they came. A count is of all that
lies there, what cannot be sold included; it says nothing of what is on its way.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from hub.domain.ids import Key, derived

Kind = Literal["committed", "reserved", "released", "issued", "returned", "cancelled", "amended",
               "pickup_changed", "adjusted", "received", "damaged", "transferred", "counted",
               "absorbed", "quarantined", "blocked", "unblocked", "inspected", "dispatched",
               "arrived", "lost"]  # fmt: skip
QUARANTINED = "quarantined"
"""Returned goods that lie there and wait for their inspection: on hand, and unavailable."""
ADJUSTING = frozenset({"counted", "absorbed"})
"""Movements that follow from a count: they are no change of goods by themselves."""


class Change(Struct, gc=False, frozen=True):
    """A change of one item at one place, in thousandths, named by what caused it."""

    sku: str
    place: str
    kind: str
    on_hand_milli: int
    committed_milli: int
    occurred_at: datetime
    event_key: Key
    movement_id: Key
    order_id: Key | None = None
    reserved_milli: int = 0
    unavailable_milli: int = 0
    incoming_milli: int = 0
    batch: str | None = None
    best_before_at: datetime | None = None


class Count(Struct, gc=False, frozen=True):
    """An absolute count of one item at one place, in thousandths; sequence: the counter's version
    of it, which says what is newer where two were measured at the same moment."""

    sku: str
    place: str
    quantity_milli: int
    measured_at: datetime
    event_key: Key
    sequence: int = -1


class Position(Struct):
    """What the hub knows of one item at one place, in thousandths; has_batches: some of it may be
    past its best-before (`hub.domain.batches`)."""

    sku: str
    place: str
    on_hand_milli: int = 0
    committed_milli: int = 0
    reserved_milli: int = 0
    unavailable_milli: int = 0
    incoming_milli: int = 0
    counted_at: datetime | None = None
    counted_by: Key | None = None
    allotted_milli: int | None = None
    counted_sequence: int = -1
    has_batches: bool = False
    version: int = 0

    @property
    def available_milli(self) -> int:
        return (
            self.on_hand_milli - self.committed_milli - self.reserved_milli - self.unavailable_milli
        )

    @property
    def is_oversold(self) -> bool:
        """Only a counted position can be oversold: before a count nobody knows what is there."""
        return self.counted_at is not None and self.available_milli < 0


def change(position: Position, wanted: Change) -> list[Change]:
    """Apply a change; the movements it makes. One that a count contains already is absorbed."""
    position.version += 1
    position.committed_milli += wanted.committed_milli
    position.reserved_milli += wanted.reserved_milli
    position.unavailable_milli += wanted.unavailable_milli
    position.incoming_milli += wanted.incoming_milli
    counted_at = position.counted_at
    if wanted.on_hand_milli and counted_at is not None and wanted.occurred_at <= counted_at:
        return [wanted, _adjusting(wanted, "absorbed", -wanted.on_hand_milli)]
    position.on_hand_milli += wanted.on_hand_milli
    return [wanted]


def count(position: Position, counted: Count, changed_since_milli: int) -> Change | None:
    """Apply a count; its movement, or None if a newer count is known.

    changed_since_milli: sum of all changes of on hand after counted.measured_at, without those
    that follow from counts.
    """
    known = (position.counted_at, position.counted_sequence, position.counted_by)
    told = (counted.measured_at, counted.sequence, counted.event_key)
    if position.counted_at is not None and told <= known:
        return None
    target = counted.quantity_milli + changed_since_milli
    delta = target - position.on_hand_milli
    position.version += 1
    position.on_hand_milli = target
    position.counted_at = counted.measured_at
    position.counted_by = counted.event_key
    position.counted_sequence = counted.sequence
    return Change(
        counted.sku,
        counted.place,
        "counted",
        delta,
        0,
        counted.measured_at,
        counted.event_key,
        derived("counted", counted.event_key),
    )


def _adjusting(cause: Change, kind: str, on_hand_milli: int) -> Change:
    return Change(
        cause.sku,
        cause.place,
        kind,
        on_hand_milli,
        0,
        cause.occurred_at,
        cause.event_key,
        derived(kind, cause.movement_id),
        cause.order_id,
    )
