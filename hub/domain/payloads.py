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


PERSONAL_PARTS = ("recipient", "recipient_phone", "recipient_email")
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
    """member.erased: the person of this account is forgotten, with all that happened until then."""

    account: Id
    until: Time | None = None
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


class CouponTerms(Payload):
    """What a coupon grants and when. Discounts: the issue's `face_value`, or `percent_off` up to
    `maximum`; `minimum` is the order's amount from which it holds."""

    minimum: Number | None = None
    percent_off: Annotated[int, Meta(ge=1, le=100)] | None = None
    maximum: Number | None = None
    stacking: Literal["alone", "other_templates", "any"] = "alone"
    on_expiry: Literal["lapse", "extend", "refund"] = "lapse"
    extension_days: Annotated[int, Meta(ge=1, le=3_660)] | None = None
    undo_minutes: Annotated[int, Meta(ge=0, le=527_040)] | None = None


class PointsEarned(Points):
    """points.earned, by the channel's own rule; usable from `opens_at`, at once without it, and
    until `expires_at`."""

    opens_at: Time | None = None
    expires_at: Time | None = None


class PointsShare(Payload):
    """Points of one profile."""

    profile_id: Id
    points: Annotated[int, Meta(ge=0, le=10**12)]


Shares = Annotated[list[PointsShare], Meta(min_length=1, max_length=1_000)]
SomePoints = Annotated[int, Meta(ge=1, le=10**12)]


class PointsSpent(Payload):
    """points.spent: `shares` name whose points they were, in the order of their use."""

    account: Id
    order_number: Id
    points: SomePoints
    shares: Shares


class HoldPlaced(Payload):
    """hold.placed: points set aside for an order until `expires_at`."""

    hold_id: Id
    account: Id
    order_number: Id
    points: SomePoints
    shares: Shares
    expires_at: Time


class HoldCaptured(Payload):
    """hold.captured: so many of the held points are spent, the others are free again."""

    hold_id: Id
    order_number: Id
    points: SomePoints


class HoldEnded(Payload):
    """hold.voided and expired: the held points are free again."""

    hold_id: Id
    order_number: Id
    reason: Name | None = None


class PointsReturned(Payload):
    """points.returned: points spent on an order go back."""

    order_number: Id
    points: SomePoints
    reason: Name | None = None


class PointsClosed(Payload):
    """points.closed: the days of an account until `through` are over; what time opens and ends
    until then is entered."""

    profile_id: Id
    through: Time


class CouponIssue(Payload):
    """`paid_amount`: what it was sold for, which is owed until it is redeemed. A recipient has to
    prove the phone or e-mail before the coupon is released to an account."""

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
    paid_amount: Number | None = None
    terms: CouponTerms | None = None
    recipient_phone: PersonalName | None = None
    recipient_email: PersonalName | None = None


class CouponClaim(Payload):
    code: Id
    account: Id
    proof: Id | None = None


class CouponTransfer(Payload):
    """To an account of the channel, or to whoever proves to be the recipient."""

    code: Id
    account: Id | None = None
    recipient_phone: PersonalName | None = None
    recipient_email: PersonalName | None = None
    reason: Name | None = None


class CouponReservation(Payload):
    code: Id
    reservation_id: Id
    expires_at: Time
    place: Id | None = None
    account: Id | None = None
    order_number: Id | None = None


class CouponRelease(Payload):
    """With `reservation_id` that reservation ends; without it a frozen coupon is let go."""

    code: Id
    reservation_id: Id | None = None
    reason: Name | None = None


class CouponRedemption(Payload):
    """`redemption_id` is the shop's own. `token`: of the one-time token that was scanned."""

    code: Id
    redemption_id: Id
    place: Id | None = None
    account: Id | None = None
    order_number: Id | None = None
    amount: Number | None = None
    currency: Currency | None = None
    reservation_id: Id | None = None
    token: Id | None = None


class CouponReversal(Payload):
    code: Id
    redemption_id: Id
    reason: Name | None = None


class CouponStep(Payload):
    """coupon.frozen, voided, expired, refunded."""

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
    "points.spent": PointsSpent,
    "points.closed": PointsClosed,
    "hold.placed": HoldPlaced,
    "hold.captured": HoldCaptured,
    "hold.voided": HoldEnded,
    "hold.expired": HoldEnded,
    "reservation.created": ReservationContent,
    "reservation.committed": OrderStep,
    "reservation.released": OrderStep,
    "reservation.expired": OrderStep,
    "stock.adjusted": StockDelta,
    "stock.counted": StockCount,
    "stock.received": StockQuantity,
    "stock.damaged": StockQuantity,
    "stock.transferred": StockTransfer,
    "points.earned": PointsEarned,
    "points.redeemed": Points,
    "points.adjusted": Points,
    "points.returned": PointsReturned,
    "coupon.issued": CouponIssue,
    "coupon.claimed": CouponClaim,
    "coupon.transferred": CouponTransfer,
    "coupon.reserved": CouponReservation,
    "coupon.released": CouponRelease,
    "coupon.redeemed": CouponRedemption,
    "coupon.redemption_reversed": CouponReversal,
    "coupon.frozen": CouponStep,
    "coupon.voided": CouponStep,
    "coupon.expired": CouponStep,
    "coupon.refunded": CouponStep,
    "item.upserted": Item,
    "place.upserted": Place,
}
"""Every type of event that a channel may send."""
