"""Whether a coupon may be used by whom, where the hub itself decides. Pure.

What a shop did is never refused here: it happened, and the fold says what it counts for.
"""

from typing import Literal

from msgspec import Struct

from hub.domain import coupon_platform
from hub.domain.coupon_state import CouponState, use_key
from hub.domain.coupon_uses import refuse_redemption, reservation_key
from hub.domain.envelope import Event

Refusal = tuple[str, str]
"""(code, reason)"""
_THE_PLATFORMS = frozenset(
    {"coupon.reserved", "coupon.released", "coupon.redeemed", "coupon.redemption_reversed"}
)


class Rights(Struct, frozen=True):
    """An account beside a coupon. is_holder: of the same member as the account that holds it;
    proof: which of the recipient's identifiers that member has verified."""

    is_held: bool
    is_holder: bool
    has_recipient: bool
    proof: Literal["phone", "email"] | None


def refuse_claim(rights: Rights) -> Refusal | None:
    """Why the account may not take the coupon into its wallet. Of a coupon for nobody in
    particular, the code is proof enough."""
    if rights.is_held:
        return "held_already", "the coupon belongs to an account already"
    return _unproved(rights)


def refuse_use(rights: Rights, *, names_account: bool) -> Refusal | None:
    """Why it may not be reserved, redeemed or given a token. Once it is held, who shows the code
    at a counter need not be named."""
    if rights.is_held:
        if names_account and not rights.is_holder:
            return "held_by_another", "the coupon belongs to somebody else"
        return None
    return _unproved(rights)


def refuse_transfer(rights: Rights) -> Refusal | None:
    """Why the account may not give it away: only who holds it may, by any of its accounts."""
    if rights.is_holder:
        return None
    return "held_by_another", "only who holds the coupon can give it away"


def _unproved(rights: Rights) -> Refusal | None:
    if rights.has_recipient and rights.proof is None:
        return "proof_missing", "the recipient's phone or e-mail has to be verified first"
    return None


def refuse_decision(event: Event, was: CouponState, now: CouponState) -> Refusal | None:
    """Why the hub may not decide this, given the states before and after it."""
    issue = now.issue
    if issue is None:
        return None  # it is parked, which is refused anyway
    if issue.kind == "platform" and event.type in _THE_PLATFORMS:
        return "platform_decides", "a platform's coupon is verified and cancelled there alone"
    if event.type == coupon_platform.CALLED:
        return coupon_platform.refuse_call(was, event)
    if event.type != "coupon.redeemed":
        return None
    key = use_key(event)
    if key in was.redemptions:
        return None  # known already, which is refused anyway
    # The state before counts even where a shop's clock runs ahead of the hub's.
    why = refuse_redemption(was, event) or now.redemptions[key].refusal
    if why is not None:
        return "coupon_not_usable", why
    own = was.reservations.get(reservation_key(event))
    held_for_others = was.reserved_uses(event.occurred_at)
    if own is not None and own.is_live(event.occurred_at):
        held_for_others -= 1
    if was.uses_left <= held_for_others:
        return "coupon_reserved", "its use is held for another checkout"
    return None
