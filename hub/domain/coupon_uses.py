"""Steps of a coupon's fold that reserve, redeem and undo its uses. Pure.

Uses are given in the fold's order, that is by when they happened, up to the coupon's number; a use
beyond it is kept, marked refused with its reason. What the hub itself decided under lock keeps its
use against facts that turn up late. Not here: the fold (`hub.domain.coupons`), calls to platforms
(`hub.domain.coupon_platform`).
"""

from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from hub.domain import coupon_platform
from hub.domain.coupon_data import Hold, Refund, Undoing, Use
from hub.domain.coupon_endings import pay_back
from hub.domain.coupon_state import (
    NO_USE_LEFT,
    CouponState,
    Redemption,
    Reservation,
    UseKey,
    use_key,
)
from hub.domain.decisions import SOURCE
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, parked

RETURN = "coupon.returned"
"""No event says it: it follows from what became of the order."""


def reservation_key(event: Event) -> UseKey:
    """The key of the reservation that a redemption or a release names."""
    return event.channel, event.shop, event.data.reservation_id or ""


def promised(events: Iterable[Event]) -> frozenset[UseKey]:
    """The uses that the hub decided and nobody undid."""
    decided, reversed_ = set(), set()
    for event in events:
        if event.type == "coupon.redeemed" and event.source == SOURCE:
            decided.add(use_key(event))
        elif event.type in ("coupon.redemption_reversed", RETURN):
            reversed_.add(event.data.redemption_id)
    return frozenset(key for key in decided if key[2] not in reversed_)


def refuse_redemption(state: CouponState, event: Event) -> str | None:
    """Why a redemption would not count in this state, if it would not."""
    if (why := state.blocked()) is not None:
        return why
    if state.uses_left <= 0:
        return NO_USE_LEFT
    token = event.data.token
    if token is not None and state.is_spent(token):
        return "this one-time token was used before"
    held = state.reservations.get(reservation_key(event))
    if held is not None and held.is_live(event.occurred_at):
        return None  # it was valid when the checkout began
    return state.out_of_time(event.occurred_at)


def reserved(state: CouponState, event: Event) -> Verdict:
    """A checkout holds a use."""
    if state.issue is None:
        return parked("coupon.issued")
    hold: Hold = event.data
    key = (event.channel, event.shop, hold.reservation_id)
    if key in state.reservations:
        return ignored("this reservation is known already")
    at = event.occurred_at
    why = state.blocked() or state.out_of_time(at)
    # Uses that are decided later are no obstacle: one of them may be this reservation's own.
    if why is None and state.issue.uses - state.live_uses <= state.reserved_uses(at):
        why = "no use is left to reserve"
    made = Reservation(hold, event.channel, event.shop, at, event.key)
    if why is not None:
        # Kept all the same: an earlier event may yet come and make it possible.
        made = replace(made, ended_at=at, ending="refused")
    state.reservations = state.reservations | {key: made}
    return ignored(why) if why is not None else APPLIED


def redeemed(state: CouponState, event: Event) -> Verdict:
    """A shop took it: a use, or one that does not count."""
    if state.issue is None:
        return parked("coupon.issued")
    use: Use = event.data
    key = use_key(event)
    if key in state.redemptions:
        return ignored("this redemption is known already")
    refusal = _refusal(state, event)
    made = Redemption(use, event.channel, event.shop, event.occurred_at, event.key, refusal)
    state.redemptions = state.redemptions | {key: made}
    if refusal is None:
        _end_reservation(state, reservation_key(event), event.occurred_at, "redeemed")
    return APPLIED


def _refusal(state: CouponState, event: Event) -> str | None:
    """Why a redemption does not count, if it does not."""
    issue = state.issue
    assert issue is not None
    if use_key(event) in state.promised:
        # Looked at under lock when it was decided; only the number of uses is above that.
        return NO_USE_LEFT if state.live_uses >= issue.uses else None
    return refuse_redemption(state, event)


def called(state: CouponState, event: Event) -> Verdict:
    """What the platform verified is a use, and none once it was cancelled there."""
    verdict = coupon_platform.called(state, event)
    if verdict is not APPLIED:
        return verdict
    key = use_key(event)
    since, known = coupon_platform.verified_at(state, key), state.redemptions.get(key)
    if since is not None and known is None:
        refusal = refuse_redemption(state, replace(event, data=event.data.use))
        use = event.data.use
        made = Redemption(use, event.channel, event.shop, since, event.key, refusal)
        state.redemptions = state.redemptions | {key: made}
    elif coupon_platform.is_cancelled(state, key) and known and known.reversed_at is None:
        back = replace(known, reversed_at=event.occurred_at)
        state.redemptions = state.redemptions | {key: back}
    return APPLIED


def undone(state: CouponState, event: Event) -> Verdict:
    """A redemption is reversed, within the time the issuer allows."""
    undoing: Undoing = event.data
    key = _named(state, event)
    if key is None or state.issue is None:
        return parked("coupon.redeemed")
    redemption = state.redemptions[key]
    if redemption.reversed_at is not None:
        return ignored("this redemption was reversed already")
    within = state.issue.undo_within
    if within is not None and event.occurred_at - redemption.redeemed_at > within:
        return ignored(f"the issuer lets a redemption be undone for {within} only")
    back = replace(redemption, reversed_at=event.occurred_at)
    state.redemptions = state.redemptions | {key: back}
    if state.late_refund is not None and redemption.refusal is None:
        pay_back(state, event.occurred_at, Refund(undoing.reason))
    return APPLIED


def _named(state: CouponState, event: Event) -> UseKey | None:
    """The redemption that a reversal means: the shop's own, or the only one of that id. The hub
    undoes for a shop what is its own alone."""
    own = use_key(event)
    if own in state.redemptions:
        return own
    if event.source == SOURCE:
        return None
    others = [key for key in state.redemptions if key[2] == own[2]]
    return others[0] if len(others) == 1 else None


def _end_reservation(state: CouponState, key: UseKey, at: datetime, ending: str) -> None:
    known = state.reservations.get(key)
    if known is not None and known.ended_at is None:
        state.reservations = state.reservations | {key: replace(known, ended_at=at, ending=ending)}


def returned(state: CouponState, event: Event) -> Verdict:
    """By the coupon's terms; a platform's coupon is never returned by the hub."""
    known = state.redemptions.get(use_key(event))
    issue = state.issue
    if known is None or issue is None or known.reversed_at is not None:
        return APPLIED
    if issue.kind != "platform" and issue.terms.on_refund == "return":
        back = replace(known, reversed_at=event.occurred_at)
        state.redemptions = state.redemptions | {use_key(event): back}
    return APPLIED


def released(state: CouponState, event: Event) -> Verdict:
    """A checkout gives up what it held."""
    key = reservation_key(event)
    reservation = state.reservations.get(key)
    if reservation is None:
        return parked("coupon.reserved")
    if reservation.ended_at is not None:
        return ignored(f"the reservation was {reservation.ending} before")
    _end_reservation(state, key, event.occurred_at, "released")
    return APPLIED
