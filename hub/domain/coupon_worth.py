"""What a sold coupon is worth to the books: money owed until it is used, revenue once it is. Pure.

paid = owed + revenue of the live uses + what went back or lapsed when it ended.
"""

from hub.domain import money
from hub.domain.coupon_data import Issue
from hub.domain.coupon_state import CouponState, UseKey

SOLD_KINDS = ("exchange", "times")
"""A platform's coupon was paid to the platform, which owes it; a discount is no money."""


def owed_minor(state: CouponState) -> int:
    """What the uses that are left still owe the buyer; an expired coupon does by its terms."""
    issue = state.issue
    if issue is None or state.ending in ("voided", "refunded"):
        return 0
    # Who applied for a refund in time is owed it, though the validity has run out since.
    is_owed = issue.terms.on_expiry == "refund" or state.frozen_at is not None
    if state.ending == "expired" and not is_owed:
        return 0
    return _left(state)


def refunded_minor(state: CouponState) -> int:
    """What went back to the buyer when it ended: what the uses left had been sold for."""
    return _left(state) if state.refund is not None else 0


def refund_minor(kind: str, paid_minor: int | None, uses: int, live_uses: int) -> int:
    """What goes back of a coupon that was sold, once some of its uses were redeemed."""
    paid = (paid_minor or 0) if kind in SOLD_KINDS else 0
    return sum(money.allocate(paid, [1] * uses)[live_uses:])


def _left(state: CouponState) -> int:
    issue = state.issue
    if issue is None:
        return 0
    return refund_minor(issue.kind, issue.paid_minor, issue.uses, state.live_uses)


def earnings(state: CouponState) -> dict[UseKey, int]:
    """The revenue of each live use: equal shares of what was paid, exact in sum."""
    if state.issue is None:
        return {}
    live = [key for key, redemption in state.redemptions.items() if redemption.is_live]
    return dict(zip(live, _shares(state.issue), strict=False))


def _shares(issue: Issue) -> list[int]:
    paid = (issue.paid_minor or 0) if issue.kind in SOLD_KINDS else 0
    return money.allocate(paid, [1] * issue.uses)
