"""Coupons: the fold of a coupon's own events into its state and its redemptions. Pure.

The first redemptions in the fold's order are accepted up to the coupon's number of uses; a later
one is kept, marked refused with its reason, and is a case for a person.
"""

import unicodedata
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import money, payloads
from hub.domain.envelope import (
    APPLIED,
    BadEvent,
    Event,
    Verdict,
    ignored,
    in_order,
    parked,
    tell,
    utc,
)
from hub.domain.ids import Key

RANKS = {
    "coupon.issued": 0, "coupon.claimed": 1, "coupon.redeemed": 2, "coupon.redemption_reversed": 3,
    "coupon.expired": 4, "coupon.voided": 5, "coupon.refunded": 6,
}  # fmt: skip
_ENDINGS = {"coupon.expired": "expired", "coupon.voided": "voided", "coupon.refunded": "refunded"}


def normalise_code(code: str) -> str:
    """One spelling of a code: full-width to half-width, no spaces, upper case."""
    return "".join(unicodedata.normalize("NFKC", code).split()).upper()


class Issue(Struct, frozen=True):
    """What coupon.issued says; face value in minor units."""

    code: str
    kind: str
    account: str | None
    template: str | None
    face_value_minor: int | None
    currency: str | None
    uses: int
    valid_from: datetime | None
    valid_until: datetime | None
    order_number: str | None


class Use(Struct, frozen=True):
    """A redemption as reported; amount in minor units."""

    code: str
    redemption_id: str
    place: str | None
    account: str | None
    order_number: str | None
    amount_minor: int | None
    currency: str | None


class Redemption(Struct, frozen=True):
    """A use and what became of it."""

    use: Use
    channel: str
    shop: str
    redeemed_at: datetime
    event_key: Key
    refusal: str | None = None
    reversed_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.refusal is None and self.reversed_at is None


class CouponState(Struct):
    """A coupon as its events say."""

    issue: Issue | None = None
    channel: str | None = None
    account: tuple[str, str] | None = None
    issued_at: datetime | None = None
    claimed_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str | None = None
    redemptions: dict[str, Redemption] = {}

    @property
    def live_uses(self) -> int:
        return sum(1 for r in self.redemptions.values() if r.is_live)

    @property
    def status(self) -> str:
        """issued, claimed, redeemed (all uses), or how it ended."""
        if self.ending is not None:
            return self.ending
        if self.issue is not None and self.live_uses >= self.issue.uses:
            return "redeemed"
        return "claimed" if self.account is not None else "issued"


class Folded(Struct):
    """A fold's result: state and what became of each event."""

    state: CouponState
    verdicts: dict[Key, Verdict]


def fold(events: list[Event]) -> Folded:
    """Fold the events of one coupon. No events give an empty state."""
    state = CouponState()
    told = in_order(events, "coupon.issued", RANKS)
    return Folded(state, tell(told, lambda event: _STEPS[event.type](state, event)))


def _issued(state: CouponState, event: Event) -> Verdict:
    if state.issue is not None:
        return ignored("the coupon was issued already")
    issue: Issue = event.data
    state.issue = issue
    state.channel = event.channel
    state.issued_at = event.occurred_at
    if issue.account is not None:
        state.account = (event.channel, issue.account)
        state.claimed_at = event.occurred_at
    return APPLIED


def _claimed(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if state.account is not None:
        return ignored("the coupon belongs to an account already")
    if state.ending is not None:
        return ignored(f"the coupon was {state.ending} before")
    state.account = (event.channel, event.data)
    state.claimed_at = event.occurred_at
    return APPLIED


def _redeemed(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    use: Use = event.data
    if use.redemption_id in state.redemptions:
        return ignored("this redemption is known already")
    refusal = None
    if state.ending is not None:
        refusal = f"the coupon was {state.ending} before"
    elif state.live_uses >= state.issue.uses:
        refusal = "all uses were redeemed before"
    state.redemptions = state.redemptions | {
        use.redemption_id: Redemption(
            use, event.channel, event.shop, event.occurred_at, event.key, refusal
        )
    }
    return APPLIED


def _reversed(state: CouponState, event: Event) -> Verdict:
    redemption = state.redemptions.get(event.data)
    if redemption is None:
        return parked("coupon.redeemed")
    if redemption.reversed_at is not None:
        return ignored("this redemption was reversed already")
    state.redemptions = state.redemptions | {
        event.data: replace(redemption, reversed_at=event.occurred_at)
    }
    return APPLIED


def _ended(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if state.ending is not None:
        return ignored(f"the coupon was {state.ending} before")
    if state.live_uses >= state.issue.uses:
        return ignored("all uses were redeemed before")
    state.ending = _ENDINGS[event.type]
    state.ended_at = event.occurred_at
    return APPLIED


_STEPS: dict[str, Callable[[CouponState, Event], Verdict]] = {
    "coupon.issued": _issued,
    "coupon.claimed": _claimed,
    "coupon.redeemed": _redeemed,
    "coupon.redemption_reversed": _reversed,
    "coupon.voided": _ended,
    "coupon.expired": _ended,
    "coupon.refunded": _ended,
}


def read_issue(payload: payloads.CouponIssue) -> Issue:
    face_value = _amount(payload.face_value, payload.currency, "face_value")
    return Issue(
        normalise_code(payload.code),
        payload.kind,
        payload.account,
        payload.template,
        face_value,
        payload.currency,
        payload.uses,
        _time(payload.valid_from, "valid_from"),
        _time(payload.valid_until, "valid_until"),
        payload.order_number,
    )


def read_use(payload: payloads.CouponRedemption) -> Use:
    return Use(
        normalise_code(payload.code),
        payload.redemption_id,
        payload.place,
        payload.account,
        payload.order_number,
        _amount(payload.amount, payload.currency, "amount"),
        payload.currency,
    )


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
