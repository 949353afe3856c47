"""What events of stock carry."""

from hub.domain.payloads.base import Id, Name, Number, Payload, Time


class StockDelta(Payload):
    sku: Id
    place: Id
    delta: Number
    reason: Name | None = None


class StockQuantity(Payload):
    """stock.received and damaged."""

    sku: Id
    place: Id
    quantity: Number
    reason: Name | None = None


class StockTransfer(Payload):
    sku: Id
    from_place: Id
    to_place: Id
    quantity: Number


class StockCount(Payload):
    sku: Id
    place: Id
    quantity: Number
    measured_at: Time


TYPES: dict[str, type[Payload]] = {
    "stock.adjusted": StockDelta,
    "stock.counted": StockCount,
    "stock.received": StockQuantity,
    "stock.damaged": StockQuantity,
    "stock.transferred": StockTransfer,
}
