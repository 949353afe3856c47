"""What events of stock carry."""

from hub.domain.payloads.base import Id, Name, Number, Payload, Time


class StockDelta(Payload):
    """`batch`: of fresh goods the batch that is meant, and `best_before` from when on it is not
    sold any more."""

    sku: Id
    place: Id
    delta: Number
    reason: Name | None = None
    batch: Id | None = None
    best_before: Time | None = None


class StockQuantity(Payload):
    """stock.received, damaged, blocked and unblocked. What is blocked is of no batch."""

    sku: Id
    place: Id
    quantity: Number
    reason: Name | None = None
    batch: Id | None = None
    best_before: Time | None = None


class StockTransfer(Payload):
    sku: Id
    from_place: Id
    to_place: Id
    quantity: Number
    batch: Id | None = None
    best_before: Time | None = None


class StockCount(Payload):
    sku: Id
    place: Id
    quantity: Number
    measured_at: Time


class StockInspection(Payload):
    """stock.inspected: of what could not be sold, so much is good again, the rest is gone."""

    sku: Id
    place: Id
    quantity: Number
    written_off: Number = "0"
    reason: Name | None = None


class TransferDispatch(Payload):
    """stock.dispatched: goods left for another place, and arrive by events of their own."""

    transfer_id: Id
    sku: Id
    from_place: Id
    to_place: Id
    quantity: Number


class TransferEnd(Payload):
    """stock.arrived and lost: so much of a transfer is on its way no longer."""

    transfer_id: Id
    sku: Id
    to_place: Id
    quantity: Number


class Capacity(Payload):
    """capacity.set: how many more a store can hand over in the slot from `slot_from` on, as of
    `measured_at`; what is sold and not yet handed over is among them."""

    place: Id
    slot_from: Time
    quantity: Number
    measured_at: Time


TYPES: dict[str, type[Payload]] = {
    "stock.adjusted": StockDelta,
    "stock.counted": StockCount,
    "capacity.set": Capacity,
    "stock.received": StockQuantity,
    "stock.damaged": StockQuantity,
    "stock.transferred": StockTransfer,
    "stock.blocked": StockQuantity,
    "stock.unblocked": StockQuantity,
    "stock.inspected": StockInspection,
    "stock.dispatched": TransferDispatch,
    "stock.arrived": TransferEnd,
    "stock.lost": TransferEnd,
}
