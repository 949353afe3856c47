"""Coupons: the fold of a coupon's own events into its state, uses and reservations. Pure.

Here: its issue, whose it is, and which step tells which event. Its uses are told in `coupon_uses`,
what ends it in `coupon_endings`. Not here: what events say (`coupon_data`), money (`coupon_worth`),
quotes (`coupon_quotes`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import coupon_endings, coupon_platform, coupon_uses
from hub.domain.coupon_codes import is_own
from hub.domain.coupon_data import Claim, Issue, Release, Transfer
from hub.domain.coupon_state import CouponState, UseKey, use_key
from hub.domain.coupon_uses import RETURN
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
        promised=coupon_uses.promised([*events, *returns]), answers=coupon_platform.answers(events)
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
        type=RETURN,
        occurred_at=max(over_at, use.occurred_at),
    )


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


def _released(state: CouponState, event: Event) -> Verdict:
    if state.issue is None:
        return parked("coupon.issued")
    release: Release = event.data
    if release.reservation_id is None:
        return coupon_endings.unfrozen(state)
    return coupon_uses.released(state, event)


_STEPS: dict[str, Callable[[CouponState, Event], Verdict]] = {
    "coupon.issued": _issued,
    "coupon.claimed": _claimed,
    "coupon.transferred": _transferred,
    RETURN: coupon_uses.returned,
    "coupon.reserved": coupon_uses.reserved,
    "coupon.released": _released,
    "coupon.redeemed": coupon_uses.redeemed,
    "coupon.redemption_reversed": coupon_uses.undone,
    coupon_platform.CALLED: coupon_uses.called,
    coupon_platform.ANSWERED: coupon_platform.answer,
    "coupon.frozen": coupon_endings.frozen,
    "coupon.voided": coupon_endings.voided,
    "coupon.expired": coupon_endings.expired,
    "coupon.refunded": coupon_endings.refunded,
}
