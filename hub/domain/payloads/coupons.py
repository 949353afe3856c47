"""What events of coupons carry."""

from typing import Annotated, Literal

from msgspec import Meta

from hub.domain.payloads.base import Currency, Id, Name, Number, Payload, PersonalName, Time


class CouponTerms(Payload):
    """What a coupon grants and when. Discounts: the issue's `face_value`, or `percent_off` up to
    `maximum`; `minimum` is the order's amount from which it holds. `on_refund`: whether a use
    returns once its order was called off or refunded in full. `once_per_person`: a person uses one
    coupon of its template, by whichever account."""

    minimum: Number | None = None
    percent_off: Annotated[int, Meta(ge=1, le=100)] | None = None
    maximum: Number | None = None
    stacking: Literal["alone", "other_templates", "any"] = "alone"
    on_expiry: Literal["lapse", "extend", "refund"] = "lapse"
    extension_days: Annotated[int, Meta(ge=1, le=3_660)] | None = None
    on_refund: Literal["return", "keep"] = "return"
    undo_minutes: Annotated[int, Meta(ge=0, le=527_040)] | None = None
    once_per_person: bool = False


class CouponIssue(Payload):
    """`paid_amount`: what it was sold for, which is owed until it is redeemed. A recipient has to
    prove the phone or e-mail before the coupon is released to an account; `recipient_forgotten`
    stands for one who was erased."""

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
    recipient_forgotten: bool = False


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
    recipient_forgotten: bool = False
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
    """coupon.frozen, voided, expired."""

    code: Id
    reason: Name | None = None


class CouponRefund(Payload):
    """`amount`: what was paid back, if known; due is what the uses left were sold for."""

    code: Id
    reason: Name | None = None
    amount: Number | None = None
    currency: Currency | None = None


class VerificationCall(Payload):
    """A call of the platform about one use of its coupon, kept before it is sent: until its answer
    is known it may have been done. `verification_id` names the use, as a redemption's id does."""

    code: Id
    verification_id: Id
    call_id: Id
    call: Literal["prepare", "verify", "query", "cancel"]
    place: Id | None = None
    account: Id | None = None
    order_number: Id | None = None


class VerificationAnswer(Payload):
    """What the platform answered: of a query, `done` where it is verified there."""

    code: Id
    verification_id: Id
    call_id: Id
    answer: Literal["done", "refused", "timed_out"]


TYPES: dict[str, type[Payload]] = {
    "coupon.issued": CouponIssue,
    "coupon.claimed": CouponClaim,
    "coupon.transferred": CouponTransfer,
    "coupon.reserved": CouponReservation,
    "coupon.released": CouponRelease,
    "coupon.redeemed": CouponRedemption,
    "coupon.redemption_reversed": CouponReversal,
    "coupon.verification_called": VerificationCall,
    "coupon.verification_answered": VerificationAnswer,
    "coupon.frozen": CouponStep,
    "coupon.voided": CouponStep,
    "coupon.expired": CouponStep,
    "coupon.refunded": CouponRefund,
}
