"""What each type of event carries in `data`, as the channels send it: strings for ids, amounts and
quantities. JSON Schemas are generated from these types (`hub.domain.schemas`).

Fields that are not named here are kept with the event in the log, and ignored. Fields marked
personal are encrypted per person before they are kept. That ids hold no control characters and no
text holds NUL is checked in `hub.domain.events`, which can skip it for most events.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

LINES_MAX = 1_000
IDENTIFIERS_MAX = 20

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=256)]
Number = Annotated[str, Meta(min_length=1, max_length=24, description="a decimal number as string")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
PersonalName = Annotated[str, Meta(max_length=256, extra_json_schema={"x-personal": True})]
PersonalId = Annotated[
    str, Meta(min_length=1, max_length=256, extra_json_schema={"x-personal": True})
]
Time = Annotated[datetime, Meta(tz=True)]
Attributes = Annotated[dict[Id, Name], Meta(max_length=50)]


FREE_TEXT = frozenset({"name", "reason", "address", "attributes"})
"""Fields that people write: line breaks are theirs to use."""


PERSONAL_PARTS = ("recipient",)
"""Fields of an event about something else that tell of a person: left out once they are erased."""


class Payload(Struct, gc=False):
    """Base of all payloads."""


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
    order_number: Id
    lines: LineQuantities
    place: Id | None = None
    restock: bool = True


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


class Identifier(Payload):
    type: Literal["phone", "email", "openid", "unionid", "crm_id", "card"]
    value: PersonalId
    proof: Literal["verified", "declared"] = "declared"
    app: Id | None = None


class Member(Payload):
    """member.registered, updated and identified."""

    account: Id
    identifiers: Annotated[list[Identifier], Meta(max_length=IDENTIFIERS_MAX)] = []
    name: PersonalName | None = None
    gender: PersonalName | None = None
    birthday: PersonalName | None = None
    attributes: Attributes = {}


class ConsentChange(Payload):
    """member.consent_changed: whether the person may be told things for a purpose by a medium."""

    account: Id
    purpose: Id
    medium: Literal["sms", "email", "phone", "post", "push", "wechat"]
    granted: bool


class Erasure(Payload):
    """member.erased: the person of this account is forgotten, what was before included."""

    account: Id
    reason: Name | None = None


class Account(Payload):
    channel: Id
    account: Id


class Ruling(Payload):
    """member.merged and member.split: what somebody says of two accounts, one person or two."""

    account: Id
    other: Account
    reason: Name | None = None


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


class Points(Payload):
    account: Id
    points: Annotated[int, Meta(ge=-(10**12), le=10**12)]
    reason: Name | None = None
    order_number: Id | None = None


class CouponIssue(Payload):
    code: Id
    kind: Literal["discount", "exchange", "times", "platform"]
    account: Id | None = None
    template: Id | None = None
    face_value: Number | None = None
    currency: Currency | None = None
    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    valid_from: Time | None = None
    valid_until: Time | None = None
    order_number: Id | None = None


class CouponClaim(Payload):
    code: Id
    account: Id


class CouponRedemption(Payload):
    code: Id
    redemption_id: Id
    place: Id | None = None
    account: Id | None = None
    order_number: Id | None = None
    amount: Number | None = None
    currency: Currency | None = None


class CouponReversal(Payload):
    code: Id
    redemption_id: Id
    reason: Name | None = None


class CouponStep(Payload):
    """coupon.voided, expired, refunded."""

    code: Id
    reason: Name | None = None


class Item(Payload):
    sku: Id
    name: Name
    unit: Name | None = None
    category: Name | None = None
    brand: Name | None = None
    attributes: Attributes = {}


class Place(Payload):
    place: Id
    name: Name
    kind: Literal["store", "warehouse"]
    attributes: Attributes = {}


BY_TYPE: dict[str, type[Payload]] = {
    "member.registered": Member,
    "member.updated": Member,
    "member.identified": Member,
    "member.consent_changed": ConsentChange,
    "member.merged": Ruling,
    "member.split": Ruling,
    "member.erased": Erasure,
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
    "stock.adjusted": StockDelta,
    "stock.counted": StockCount,
    "stock.received": StockQuantity,
    "stock.damaged": StockQuantity,
    "stock.transferred": StockTransfer,
    "points.earned": Points,
    "points.redeemed": Points,
    "points.adjusted": Points,
    "coupon.issued": CouponIssue,
    "coupon.claimed": CouponClaim,
    "coupon.redeemed": CouponRedemption,
    "coupon.redemption_reversed": CouponReversal,
    "coupon.voided": CouponStep,
    "coupon.expired": CouponStep,
    "coupon.refunded": CouponStep,
    "item.upserted": Item,
    "place.upserted": Place,
}
"""Every type of event this version takes."""
