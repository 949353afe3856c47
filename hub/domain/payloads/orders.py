"""What events of orders carry: reservations, steps, payments, returns."""

from typing import Annotated, Literal

from msgspec import Meta

from hub.domain.payloads.base import (
    LINES_MAX,
    Currency,
    Id,
    Name,
    Number,
    Payload,
    PersonalName,
    Time,
)


class Buyer(Payload):
    account: Id


class Recipient(Payload):
    name: PersonalName | None = None
    phone: PersonalName | None = None
    address: PersonalName | None = None


class Discount(Payload):
    kind: Literal["loyalty", "coupon", "coupon_match", "promotion", "manual"]
    amount: Number
    coupon: Id | None = None


class Line(Payload):
    line: Id
    sku: Id
    quantity: Number
    unit_price: Number
    amount: Number
    discounts: Annotated[list[Discount], Meta(max_length=50)] = []
    category: Id | None = None


class LineQuantity(Payload):
    line: Id
    quantity: Number


LineQuantities = Annotated[list[LineQuantity], Meta(min_length=1, max_length=LINES_MAX)]


class OrderContent(Payload):
    """order.placed and order.amended. `total` = sum of line amounts less their discounts."""

    order_number: Id
    currency: Currency
    lines: Annotated[list[Line], Meta(min_length=1, max_length=LINES_MAX)]
    total: Number
    buyer: Buyer | None = None
    place: Id | None = None
    recipient: Recipient | None = None


class OrderPayment(Payload):
    order_number: Id
    amount: Number
    currency: Currency
    method: Id
    payment_id: Id


class OrderStep(Payload):
    """A step of an order, or the end of its reservation, that says no more than that it came."""

    order_number: Id
    reason: Name | None = None


class OrderFulfilment(Payload):
    """order.shipped and picked_up; without lines it is everything left."""

    order_number: Id
    place: Id | None = None
    lines: LineQuantities | None = None


class OrderPickupChange(Payload):
    order_number: Id
    place: Id


class ReturnReceived(Payload):
    """restock: true for goods that can be sold again, false for those that are gone, null for
    those that lie at the place and wait for an inspection."""

    order_number: Id
    lines: LineQuantities
    place: Id | None = None
    restock: bool | None = True


class RefundSucceeded(Payload):
    order_number: Id
    refund_id: Id
    amount: Number
    currency: Currency


class ItemQuantity(Payload):
    sku: Id
    quantity: Number


class ReservationContent(Payload):
    """reservation.created: stock held at a place for an order until a time."""

    order_number: Id
    place: Id
    items: Annotated[list[ItemQuantity], Meta(min_length=1, max_length=LINES_MAX)]
    expires_at: Time


TYPES: dict[str, type[Payload]] = {
    "order.placed": OrderContent,
    "order.amended": OrderContent,
    "order.paid": OrderPayment,
    "order.ready_for_pickup": OrderStep,
    "order.picked_up": OrderFulfilment,
    "order.pickup_changed": OrderPickupChange,
    "order.no_show": OrderStep,
    "order.shipped": OrderFulfilment,
    "order.delivered": OrderStep,
    "order.completed": OrderStep,
    "order.cancelled": OrderStep,
    "return.received": ReturnReceived,
    "refund.succeeded": RefundSucceeded,
    "reservation.created": ReservationContent,
    "reservation.committed": OrderStep,
    "reservation.released": OrderStep,
    "reservation.expired": OrderStep,
}
