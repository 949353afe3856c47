"""What events of orders carry: reservations, steps, payments, returns."""

from typing import Annotated, Literal

from msgspec import Meta

from hub.domain.payloads.base import (
    LINES_MAX,
    Components,
    Currency,
    Id,
    Name,
    Number,
    Payload,
    PersonalName,
    Time,
)

CHILDREN_MAX = 200


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
    """`components`: what one unit of a bundle consisted of when it was sold, if the channel knows;
    otherwise the catalog says so."""

    line: Id
    sku: Id
    quantity: Number
    unit_price: Number
    amount: Number
    discounts: Annotated[list[Discount], Meta(max_length=50)] = []
    category: Id | None = None
    made_to_order: bool = False
    components: Components | None = None


class LineQuantity(Payload):
    line: Id
    quantity: Number


LineQuantities = Annotated[list[LineQuantity], Meta(min_length=1, max_length=LINES_MAX)]


class Tender(Payload):
    """What pays a part of the total instead of money: it is no discount, and no sale of its own.
    Of points their number, of stored value how much was paid in and how much was a bonus."""

    kind: Literal["points", "voucher", "gift_card", "stored_value"]
    amount: Number
    points: Annotated[int, Meta(ge=1, le=10**12)] | None = None
    coupon: Id | None = None
    principal: Number | None = None
    bonus: Number | None = None


class Pickup(Payload):
    """When the order is picked up, and until when that can be changed."""

    slot_from: Time
    slot_until: Time
    cut_off: Time | None = None


class Deposit(Payload):
    """A part paid ahead: `earnest` (定金) is lost by who breaks the sale, `refundable` (订金) is
    not. The balance is due until `balance_due_at`."""

    kind: Literal["earnest", "refundable"]
    amount: Number
    balance_due_at: Time


class Session(Payload):
    """The live session an order comes from."""

    session_id: Id
    anchor: Id | None = None


Degrees = Annotated[str, Meta(pattern=r"^-?[0-9]{1,3}(\.[0-9]{1,2})?$")]


class Near(Payload):
    """About where the goods shall go, to a kilometre: two decimals of a degree and no more, since
    more would tell where a person lives."""

    latitude: Degrees
    longitude: Degrees


class OrderName(Payload):
    """An order of some channel's shop."""

    channel: Id
    shop: Id
    order_number: Id


class OrderContent(Payload):
    """order.placed and order.amended. `total` = sum of line amounts less all discounts; `discounts`
    of the whole order are shared out over its lines.

    An order that was split names its `parent`, or the parent its `children`: the children count,
    the parent only holds them together. `origin`: this is another system's report of that order,
    which counts there."""

    order_number: Id
    currency: Currency
    lines: Annotated[list[Line], Meta(min_length=1, max_length=LINES_MAX)]
    total: Number
    buyer: Buyer | None = None
    place: Id | None = None
    recipient: Recipient | None = None
    inscription: PersonalName | None = None
    discounts: Annotated[list[Discount], Meta(max_length=50)] = []
    tenders: Annotated[list[Tender], Meta(max_length=20)] = []
    payment_terms: Literal["prepaid", "on_delivery"] = "prepaid"
    deposit: Deposit | None = None
    pickup: Pickup | None = None
    session: Session | None = None
    near: Near | None = None
    parent: Id | None = None
    children: Annotated[list[Id], Meta(max_length=CHILDREN_MAX)] = []
    origin: OrderName | None = None


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


class OrderCancellation(Payload):
    """Without lines the whole order. `fault`: who broke a sale with a deposit."""

    order_number: Id
    lines: LineQuantities | None = None
    fault: Literal["buyer", "merchant"] | None = None
    reason: Name | None = None


class OrderFulfilment(Payload):
    """order.shipped and picked_up; without lines it is everything left."""

    order_number: Id
    place: Id | None = None
    lines: LineQuantities | None = None


class OrderPickupChange(Payload):
    order_number: Id
    place: Id
    pickup: Pickup | None = None
    inscription: PersonalName | None = None


class Settlement(Payload):
    """payment.settled: what the platform's bill says of a payment; `net` = amount - fee -
    commission + subsidy."""

    order_number: Id
    payment_id: Id
    amount: Number
    currency: Currency
    fee: Number = "0"
    commission: Number = "0"
    subsidy: Number = "0"


class ReturnReceived(Payload):
    """restock: true for goods that can be sold again, false for those that are gone, null for
    those that lie at the place and wait for an inspection."""

    order_number: Id
    lines: LineQuantities
    place: Id | None = None
    restock: bool | None = True


class LineAmount(Payload):
    """How much of a refund is for a line."""

    line: Id
    amount: Number


class Refund(Payload):
    """refund.processing and succeeded. `points`: those of the order's points that go back; by the
    share of the money unless said. A compensation is paid beyond what was paid for the order."""

    order_number: Id
    refund_id: Id
    amount: Number
    currency: Currency
    kind: Literal["refund", "compensation"] = "refund"
    points: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    lines: Annotated[list[LineAmount], Meta(max_length=LINES_MAX)] = []
    aftersale_id: Id | None = None
    reason: Name | None = None


class RefundFailed(Payload):
    order_number: Id
    refund_id: Id
    reason: Name | None = None


class AftersaleRequest(Payload):
    """aftersale.requested: what the buyer wants, of which lines, and how much money back."""

    order_number: Id
    aftersale_id: Id
    kind: Literal["refund", "return", "exchange"]
    lines: Annotated[list[LineQuantity], Meta(max_length=LINES_MAX)] = []
    amount: Number | None = None
    currency: Currency | None = None
    reason: Name | None = None


class AftersaleStep(Payload):
    """aftersale.approved, rejected, closed and exchanged."""

    order_number: Id
    aftersale_id: Id
    reason: Name | None = None


class ItemQuantity(Payload):
    sku: Id
    quantity: Number
    made_to_order: bool = False
    components: Components | None = None


class ReservationContent(Payload):
    """reservation.created: stock held at a place for an order until a time; what is made to order
    takes the capacity of the slot from `slot_from` on instead."""

    order_number: Id
    place: Id
    items: Annotated[list[ItemQuantity], Meta(min_length=1, max_length=LINES_MAX)]
    expires_at: Time
    slot_from: Time | None = None


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
    "order.cancelled": OrderCancellation,
    "return.received": ReturnReceived,
    "payment.captured": OrderPayment,
    "payment.settled": Settlement,
    "aftersale.requested": AftersaleRequest,
    "aftersale.approved": AftersaleStep,
    "aftersale.rejected": AftersaleStep,
    "aftersale.closed": AftersaleStep,
    "aftersale.exchanged": AftersaleStep,
    "refund.processing": Refund,
    "refund.succeeded": Refund,
    "refund.failed": RefundFailed,
    "reservation.created": ReservationContent,
    "reservation.committed": OrderStep,
    "reservation.released": OrderStep,
    "reservation.expired": OrderStep,
}
