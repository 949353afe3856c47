"""Coupons: the fold of a coupon's own events into its state, uses and reservations. Pure.

Uses are given in the fold's order, that is by when they happened, up to the coupon's number; a use
beyond it is kept, marked refused with its reason, and a case for a person, since a shop may have
given the goods already. What the hub itself decided under lock keeps its use against facts that
turn up late. A reservation holds a use back from the hub's own decisions, never from what a shop
did. Not here: what events say (`coupon_data`), money (`coupon_worth`), quotes (`coupon_quotes`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import coupon_platform
from hub.domain.coupon_codes import is_own
from hub.domain.coupon_data import Claim, Hold, Issue, Refund, Release, Transfer, Undoing, Use
from hub.domain.coupon_state import CouponState, Redemption, Reservation, UseKey
from hub.domain.decisions import SOURCE
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, in_order, parked, tell
from hub.domain.ids import Key, derived
from hub.domain.order_data import OrderName

RANKS = {
    "coupon.issued": 0, "coupon.claimed": 1, "coupon.transferred": 2, "coupon.reserved": 3,
    "coupon.redeemed": 4, "coupon.redemption_reversed": 5, "coupon.released": 6,
    "coupon.frozen": 7, "coupon.expired": 8, "coupon.voided": 9, "coupon.refunded": 10,
    coupon_platform.CALLED: 11, coupon_platform.ANSWERED: 12,
}  # fmt: skip
_RETURN = "coupon.returned"
"""No event says it: it follows from what became of the order."""
NO_USE_LEFT = "all uses were redeemed before"


class Folded(Struct):
    """A fold's result: state and what became of each event."""

    state: CouponState
    verdicts: dict[Key, Verdict]


OrdersOver = Mapping[OrderName, datetime]
"""Orders that were called off or refunded in full, and when."""


def fold(events: list[Event], over: OrdersOver = MappingProxyType({})) -> Folded:
    """Fold the events of one coupon. No events give an empty state.

    over: of the orders it was used on, those that are over: a use returns with its order.
    """
    returns = [_return(event, over[name]) for name, event in _uses(events) if name in over]
    state = CouponState(
        promised=_promised([*events, *returns]), answers=coupon_platform.answers(events)
    )
    told = in_order([*events, *returns], "coupon.issued", RANKS)
    verdicts = tell(told, lambda event: _STEPS[event.type](state, event))
    for event in returns:
        del verdicts[event.key]
    return Folded(state, verdicts)


def _uses(events: Iterable[Event]) -> Iterator[tuple[OrderName, Event]]:
    """The uses that name an order; those of one id that name several are left to people."""
    named: dict[UseKey, dict[OrderName | None, Event]] = {}
    uses = [event for event in events if event.type == "coupon.redeemed"]
    for event in sorted(uses, key=lambda event: (event.occurred_at, event.key)):
        named.setdefault(use_key(event), {}).setdefault(order_of(event), event)
    for of_use in named.values():
        for name, event in of_use.items():
            if name is not None and len(of_use) == 1:
                yield name, event


def order_of(event: Event) -> OrderName | None:
    """The order that a use was for, if one was named."""
    if event.type != "coupon.redeemed" or event.data.order_number is None:
        return None
    return OrderName(event.channel, event.shop, event.data.order_number)


def _return(use: Event, over_at: datetime) -> Event:
    """A use returns when its order is over, as if an event said so."""
    return replace(
        use,
        key=derived("coupon-return", use.key),
        type=_RETURN,
        occurred_at=max(over_at, use.occurred_at),
    )


def _returned(state: CouponState, event: Event) -> Verdict:
    """By the coupon's terms; a platform's coupon is never returned by the hub."""
    known = state.redemptions.get(use_key(event))
    issue = state.issue
    if known is None or issue is None or known.reversed_at is not None:
        return APPLIED
    if issue.kind != "platform" and issue.terms.on_refund == "return":
        back = replace(known, reversed_at=event.occurred_at)
        state.redemptions = state.redemptions | {use_key(event): back}
    return APPLIED


def use_key(event: Event) -> UseKey:
    """The key of the use that coupon.redeemed or redemption_reversed names."""
    return event.channel, event.shop, event.data.redemption_id


def _promised(events: Iterable[Event]) -> frozenset[UseKey]:
    decided, undone = set(), set()
    for event in events:
        if event.type == "coupon.redeemed" and event.source == SOURCE:
            decided.add(use_key(event))
        elif event.type in ("coupon.redemption_reversed", _RETURN):
            undone.add(event.data.redemption_id)
    return frozenset(key for key in decided if key[2] not in undone)


def _issued(state: CouponState, event: Event) -> Verdict:
    issue: Issue = event.data
    if is_own(issue.code) and event.source != SOURCE and state.issue is None:
        return parked("coupon.issued")  # by the hub, which alone gives out codes of this form
    if state.issue is not None:
        return ignored("the coupon was issued already")
    state.issue = issue
    state.channel, state.shop = event.channel, event.shop
    state.issued_at = event.occurred_at
    if issue.account is not None:
        state.account = (event.channel, issue.account)
        state.claimed_at = event.occurred_at
    else:
        state.recipients = issue.recipients
    return APPLIED


def _claimed(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if state.account is not None:
        return ignored("the coupon belongs to an account already")
    if state.ending is not None:
        return ignored(f"the coupon was {state.ending} before")
    if state.recipients and event.source != SOURCE:
        return ignored("the recipient's phone or e-mail has to be proved to the hub first")
    claim: Claim = event.data
    state.account = (event.channel, claim.account)
    state.claimed_at = event.occurred_at
    return APPLIED


def _transferred(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if (why := state.blocked()) is not None:
        return ignored(why)
    if state.uses_left <= state.reserved_uses(event.occurred_at):
        return ignored("no use is left to give away")
    if state.account is None and state.recipients:
        return ignored("nobody holds the coupon yet")
    transfer: Transfer = event.data
    to = transfer.account
    state.account = (event.channel, to) if to is not None else None
    state.recipients = () if to is not None else transfer.recipients
    state.claimed_at = event.occurred_at if to is not None else None
    state.transferred_at = event.occurred_at
    return APPLIED


def _reserved(state: CouponState, event: Event) -> Verdict:
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


def _redeemed(state: CouponState, event: Event) -> Verdict:
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


def _called(state: CouponState, event: Event) -> Verdict:
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
        undone = replace(known, reversed_at=event.occurred_at)
        state.redemptions = state.redemptions | {key: undone}
    return APPLIED


def _refusal(state: CouponState, event: Event) -> str | None:
    """Why a redemption does not count, if it does not."""
    issue = state.issue
    assert issue is not None
    if use_key(event) in state.promised:
        # Looked at under lock when it was decided; only the number of uses is above that.
        return NO_USE_LEFT if state.live_uses >= issue.uses else None
    return refuse_redemption(state, event)


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


def reservation_key(event: Event) -> UseKey:
    """The key of the reservation that a redemption or a release names."""
    return event.channel, event.shop, event.data.reservation_id or ""


def _end_reservation(state: CouponState, key: UseKey, at: datetime, ending: str) -> None:
    known = state.reservations.get(key)
    if known is not None and known.ended_at is None:
        state.reservations = state.reservations | {key: replace(known, ended_at=at, ending=ending)}


def _reversed(state: CouponState, event: Event) -> Verdict:
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
    undone = replace(redemption, reversed_at=event.occurred_at)
    state.redemptions = state.redemptions | {key: undone}
    if state.late_refund is not None and redemption.refusal is None:
        _refund(state, event.occurred_at, Refund(undoing.reason))
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


def _released(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    release: Release = event.data
    if release.reservation_id is None:
        # Never waits for a freeze to come: it would let go of a later one.
        if state.frozen_at is None:
            return ignored("the coupon was not frozen")
        state.frozen_at = None
        return APPLIED
    key = reservation_key(event)
    reservation = state.reservations.get(key)
    if reservation is None:
        return parked("coupon.reserved")
    if reservation.ended_at is not None:
        return ignored(f"the reservation was {reservation.ending} before")
    _end_reservation(state, key, event.occurred_at, "released")
    return APPLIED


def _frozen(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    if (why := state.blocked()) is not None:
        return ignored(why)
    if state.uses_left <= 0:
        return ignored(NO_USE_LEFT)
    state.frozen_at = event.occurred_at
    state.reason = event.data.reason
    return APPLIED


def _refunded(state: CouponState, event: Event) -> Verdict:
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
    _refund(state, event.occurred_at, event.data)
    return APPLIED


def _refund(state: CouponState, at: datetime, refund: Refund) -> None:
    """The buyer's money went back. Who was given the coupon is told why it is void."""
    reason = refund.reason
    state.ending, state.reason, state.refund = "refunded", reason, refund
    if state.transferred_at is not None:
        state.ending = "voided"
        why = "the buyer was refunded after it was given away"
        state.reason = f"{why}: {reason}" if reason else why
    state.ended_at = at
    state.late_refund = None


def _expired(state: CouponState, event: Event) -> Verdict:
    issue, at = state.issue, event.occurred_at
    if issue is None:
        return parked("coupon.issued")
    if state.ending is None and 0 < state.uses_left <= state.reserved_uses(at):
        return ignored("its use is reserved for a checkout")
    until = issue.usable_until
    if issue.terms.on_expiry == "extend" and until is not None and at < until:
        return ignored(f"its validity was extended to {until.isoformat()}")
    return _end(state, event, "expired")


def _voided(state: CouponState, event: Event) -> Verdict:
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


_STEPS: dict[str, Callable[[CouponState, Event], Verdict]] = {
    "coupon.issued": _issued,
    "coupon.claimed": _claimed,
    "coupon.transferred": _transferred,
    _RETURN: _returned,
    "coupon.reserved": _reserved,
    "coupon.released": _released,
    "coupon.redeemed": _redeemed,
    "coupon.redemption_reversed": _reversed,
    coupon_platform.CALLED: _called,
    coupon_platform.ANSWERED: coupon_platform.answer,
    "coupon.frozen": _frozen,
    "coupon.voided": _voided,
    "coupon.expired": _expired,
    "coupon.refunded": _refunded,
}
