"""Steps of a coupon's fold that hold it back or end it: frozen, refunded, expired, voided. Pure.

Not here: its uses (`hub.domain.coupon_uses`), and what an ending is worth (`coupon_worth`).
"""

from datetime import datetime

from hub.domain.coupon_data import Refund
from hub.domain.coupon_state import NO_USE_LEFT, CouponState
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, parked


def frozen(state: CouponState, event: Event) -> Verdict:
    """A refund was applied for: nobody can use it until that is decided."""
    if state.issue is None:
        return parked("coupon.issued")
    if (why := state.blocked()) is not None:
        return ignored(why)
    if state.uses_left <= 0:
        return ignored(NO_USE_LEFT)
    state.frozen_at = event.occurred_at
    state.reason = event.data.reason
    return APPLIED


def refunded(state: CouponState, event: Event) -> Verdict:
    """It ends with the buyer's money going back, unless all of it was used."""
    if state.issue is None:
        return parked("coupon.issued")
    is_owed = state.ending == "expired" and (
        # By its terms, or since the refund was applied for while the coupon was valid.
        state.issue.terms.on_expiry == "refund" or state.frozen_at is not None
    )
    if state.ending is not None and not is_owed:
        return ignored(f"the coupon was {state.ending} before")
    if state.uses_left <= 0:
        state.late_refund = state.late_refund or event.key
        return ignored(NO_USE_LEFT)
    pay_back(state, event.occurred_at, event.data)
    return APPLIED


def pay_back(state: CouponState, at: datetime, refund: Refund) -> None:
    """The buyer's money went back. Who was given the coupon is told why it is void."""
    reason = refund.reason
    state.ending, state.reason, state.refund = "refunded", reason, refund
    if state.transferred_at is not None:
        state.ending = "voided"
        why = "the buyer was refunded after it was given away"
        state.reason = f"{why}: {reason}" if reason else why
    state.ended_at = at
    state.late_refund = None


def expired(state: CouponState, event: Event) -> Verdict:
    """Its validity is over, unless a checkout holds it or its terms extend it."""
    issue, at = state.issue, event.occurred_at
    if issue is None:
        return parked("coupon.issued")
    if state.ending is None and 0 < state.uses_left <= state.reserved_uses(at):
        return ignored("its use is reserved for a checkout")
    until = issue.usable_until
    if issue.terms.on_expiry == "extend" and until is not None and at < until:
        return ignored(f"its validity was extended to {until.isoformat()}")
    return _end(state, event, "expired")


def voided(state: CouponState, event: Event) -> Verdict:
    """Its issuer ends it."""
    return _end(state, event, "voided")


def _end(state: CouponState, event: Event, ending: str) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if state.ending is not None:
        return ignored(f"the coupon was {state.ending} before")
    if state.uses_left <= 0:
        return ignored(NO_USE_LEFT)
    state.ending, state.reason = ending, event.data.reason
    state.ended_at = event.occurred_at
    return APPLIED


def unfrozen(state: CouponState) -> Verdict:
    """A refund was turned down. Waits for no freeze to come: it would let go of a later one."""
    if state.frozen_at is None:
        return ignored("the coupon was not frozen")
    state.frozen_at = None
    return APPLIED
