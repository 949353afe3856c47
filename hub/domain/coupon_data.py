"""What coupon events say, read from their payloads: amounts in minor units, times in UTC. What
becomes of it is in `hub.domain.coupons`."""

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from hub.domain import money, payloads
from hub.domain.coupon_codes import normalise_code
from hub.domain.envelope import BadEvent, utc
from hub.domain.identifiers import normalise

PLATFORM_UNDO = timedelta(hours=1)
"""How long platforms let a verification be cancelled, where the issue does not say."""


class Terms(Struct, frozen=True, omit_defaults=True):
    """What a coupon grants, and under which conditions."""

    minimum_minor: int | None = None
    percent_off: int | None = None
    maximum_minor: int | None = None
    stacking: Literal["alone", "other_templates", "any"] = "alone"
    on_expiry: Literal["lapse", "extend", "refund"] = "lapse"
    extension_days: int = 0
    undo_minutes: int | None = None
    on_refund: Literal["return", "keep"] = "return"
    once_per_person: bool = False


class Contact(Struct, frozen=True, order=True):
    """Whom a coupon is meant for: a phone or an e-mail address in its one spelling."""

    type: str
    value: str


FORGOTTEN = Contact("forgotten", "")
"""In place of whom a coupon was meant for, once that person was erased: nobody proves to be it."""


class Issue(Struct, frozen=True):
    """What coupon.issued says. usable_until: `valid_until` and the extension by its terms."""

    code: str
    kind: str
    account: str | None
    template: str | None
    face_value_minor: int | None
    paid_minor: int | None
    currency: str | None
    uses: int
    valid_from: datetime | None
    valid_until: datetime | None
    usable_until: datetime | None
    order_number: str | None
    terms: Terms
    recipients: tuple[Contact, ...]

    @property
    def undo_within(self) -> timedelta | None:
        """How long a redemption can be undone; None: at any time."""
        if self.terms.undo_minutes is not None:
            return timedelta(minutes=self.terms.undo_minutes)
        return PLATFORM_UNDO if self.kind == "platform" else None


class Claim(Struct, frozen=True):
    """An account takes a coupon into its wallet; proof: by what the hub knew its right."""

    account: str
    proof: str | None = None


class Transfer(Struct, frozen=True):
    """A holder gives a coupon away: to an account, or to whoever proves to be the recipient."""

    account: str | None
    recipients: tuple[Contact, ...]
    reason: str | None


class Hold(Struct, frozen=True):
    """A use of a coupon kept for one checkout."""

    reservation_id: str
    expires_at: datetime
    place: str | None
    account: str | None
    order_number: str | None


class Release(Struct, frozen=True):
    """A reservation is given up, or (without its id) a frozen coupon is let go."""

    reservation_id: str | None
    reason: str | None


class Use(Struct, frozen=True):
    """A redemption as reported; amount in minor units."""

    code: str
    redemption_id: str
    place: str | None
    account: str | None
    order_number: str | None
    amount_minor: int | None
    currency: str | None
    reservation_id: str | None
    token: str | None


class Undoing(Struct, frozen=True):
    """A redemption is undone."""

    redemption_id: str
    reason: str | None


class Step(Struct, frozen=True):
    """A coupon is frozen, or ends."""

    reason: str | None


class Refund(Struct, frozen=True):
    """The buyer's money went back: how much of it, where that was said."""

    reason: str | None
    amount_minor: int | None = None
    currency: str | None = None


class PlatformCall(Struct, frozen=True):
    """A call of the platform about a use of its coupon; use: what is redeemed if it is verified."""

    use: Use
    call_id: str
    call: Literal["prepare", "verify", "query", "cancel"]

    @property
    def redemption_id(self) -> str:
        return self.use.redemption_id


class PlatformAnswer(Struct, frozen=True):
    """What became of a call."""

    redemption_id: str
    call_id: str
    answer: Literal["done", "refused", "timed_out"]


def read_issue(payload: payloads.coupons.CouponIssue) -> Issue:
    currency = payload.currency
    terms = _terms(payload.terms, currency)
    valid_until = _time(payload.valid_until, "valid_until")
    return Issue(
        code=normalise_code(payload.code),
        kind=payload.kind,
        account=payload.account,
        template=payload.template,
        face_value_minor=_amount(payload.face_value, currency, "face_value"),
        paid_minor=_amount(payload.paid_amount, currency, "paid_amount"),
        currency=currency,
        uses=payload.uses,
        valid_from=_time(payload.valid_from, "valid_from"),
        valid_until=valid_until,
        usable_until=_extended(valid_until, terms),
        order_number=payload.order_number,
        terms=terms,
        recipients=_recipients(payload),
    )


def _terms(terms: payloads.coupons.CouponTerms | None, currency: str | None) -> Terms:
    if terms is None:
        return Terms()
    if terms.on_expiry == "extend" and terms.extension_days is None:
        raise BadEvent(
            "extension_missing",
            "terms say that validity is extended, but not by how many days",
            "$.data.terms.extension_days",
        )
    return Terms(
        _amount(terms.minimum, currency, "terms.minimum"),
        terms.percent_off,
        _amount(terms.maximum, currency, "terms.maximum"),
        terms.stacking,
        terms.on_expiry,
        terms.extension_days or 0,
        terms.undo_minutes,
        terms.on_refund,
        terms.once_per_person,
    )


def _extended(valid_until: datetime | None, terms: Terms) -> datetime | None:
    if valid_until is None or terms.on_expiry != "extend":
        return valid_until
    try:
        return valid_until + timedelta(days=terms.extension_days)
    except OverflowError:
        raise BadEvent(
            "time_out_of_range", "the extension ends after the year 9999", "$.data.valid_until"
        ) from None


def _recipients(
    payload: payloads.coupons.CouponIssue | payloads.coupons.CouponTransfer,
) -> tuple[Contact, ...]:
    """Those that identify somebody: a filler or a masked phone makes no recipient."""
    if payload.recipient_forgotten:
        return (FORGOTTEN,)
    given = (("phone", payload.recipient_phone), ("email", payload.recipient_email))
    return tuple(
        Contact(kind, spelled)
        for kind, value in given
        if value is not None and (spelled := normalise(kind, value)) is not None
    )


def read_claim(payload: payloads.coupons.CouponClaim) -> Claim:
    return Claim(payload.account, payload.proof)


def read_transfer(payload: payloads.coupons.CouponTransfer) -> Transfer:
    recipients = _recipients(payload)
    if payload.account is None and not recipients:
        raise BadEvent(
            "receiver_missing", "neither an account nor a recipient is named", "$.data.account"
        )
    return Transfer(payload.account, recipients, payload.reason)


def read_hold(payload: payloads.coupons.CouponReservation) -> Hold:
    return Hold(
        payload.reservation_id,
        utc(payload.expires_at, "$.data.expires_at"),
        payload.place,
        payload.account,
        payload.order_number,
    )


def read_release(payload: payloads.coupons.CouponRelease) -> Release:
    return Release(payload.reservation_id, payload.reason)


def read_use(payload: payloads.coupons.CouponRedemption) -> Use:
    return Use(
        normalise_code(payload.code),
        payload.redemption_id,
        payload.place,
        payload.account,
        payload.order_number,
        _amount(payload.amount, payload.currency, "amount"),
        payload.currency,
        payload.reservation_id,
        payload.token,
    )


def read_undoing(payload: payloads.coupons.CouponReversal) -> Undoing:
    return Undoing(payload.redemption_id, payload.reason)


def read_step(payload: payloads.coupons.CouponStep) -> Step:
    return Step(payload.reason)


def read_refund(payload: payloads.coupons.CouponRefund) -> Refund:
    amount_minor = _amount(payload.amount, payload.currency, "amount")
    return Refund(payload.reason, amount_minor, payload.currency)


def read_call(payload: payloads.coupons.VerificationCall) -> PlatformCall:
    use = Use(
        normalise_code(payload.code),
        payload.verification_id,
        payload.place,
        payload.account,
        payload.order_number,
        amount_minor=None,
        currency=None,
        reservation_id=None,
        token=None,
    )
    return PlatformCall(use, payload.call_id, payload.call)


def read_answer(payload: payloads.coupons.VerificationAnswer) -> PlatformAnswer:
    return PlatformAnswer(payload.verification_id, payload.call_id, payload.answer)


def _time(value: datetime | None, field: str) -> datetime | None:
    return utc(value, f"$.data.{field}") if value is not None else None


def _amount(value: str | None, currency: str | None, field: str) -> int | None:
    if value is None:
        return None
    if currency is None:
        raise BadEvent("currency_missing", f"{field} has no currency beside it", "$.data.currency")
    try:
        amount = money.minor(value, currency)
    except money.BadNumber as bad:
        raise BadEvent("bad_amount", f"{bad} in {currency}", f"$.data.{field}") from None
    if amount < 0:
        raise BadEvent("negative_amount", f"'{value}' is below 0", f"$.data.{field}")
    return amount
