"""Orders: the fold of an order's own events into its state, its stock effects and its points.

Pure. The same set of events gives the same state in whatever order they came: `fold` sorts them
first. What an order does to stock and points is a list of effects, each named after the event that
caused it, so that a late event changes exactly its own share (`hub.domain.effects`).
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from hub.domain import earning, growth, order_money, order_steps
from hub.domain.envelope import APPLIED, Event, Verdict, in_order, parked, tell
from hub.domain.growth import Gain
from hub.domain.ids import Key
from hub.domain.order_data import Content
from hub.domain.order_state import OrderState
from hub.domain.reservations import Move

RANKS = {
    name: rank
    for rank, name in enumerate(
        (
            "order.placed", "order.amended", "order.paid", "payment.captured",
            "order.pickup_changed", "order.ready_for_pickup", "order.shipped", "order.picked_up",
            "order.delivered", "order.completed", "order.cancelled", "order.no_show",
            "return.received", "aftersale.requested", "aftersale.approved", "aftersale.rejected",
            "aftersale.exchanged", "aftersale.closed", "refund.processing", "refund.succeeded",
            "refund.failed", "payment.settled", "reservation.created", "reservation.committed",
            "reservation.released", "reservation.expired",
        )
    )
}  # fmt: skip
"""Which of two events of the same moment is told first."""


class StockEffect(Struct, gc=False, frozen=True):
    """What an order did to a stock item, in thousandths; kind is the movement's."""

    kind: str
    on_hand_milli: int
    committed_milli: int
    reserved_milli: int
    occurred_at: datetime


class Folded(Struct):
    """A fold's result: state, what became of each event, and the effects by the causing event.

    stock: (event key, sku, place) -> effect; points: (event key, account) -> (points, time);
    growth: (event key, account) -> (gain, time).
    """

    state: OrderState
    verdicts: dict[Key, Verdict]
    stock: dict[tuple[Key, str, str], StockEffect]
    points: dict[tuple[Key, str], tuple[int, datetime]]
    growth: dict[tuple[Key, str], tuple[Gain, datetime]]


def fold(
    events: list[Event], is_parent: bool = False, rules: earning.Scheme | None = None
) -> Folded:
    """Fold the events of one order. No events give an empty state.

    is_parent: other orders name it as their parent; rules: what it earns by, those the hub comes
    with unless said.
    """
    state = OrderState(is_parent=is_parent, rules=rules or earning.SCHEME)
    folded = Folded(state, {}, {}, {}, {})
    earned = _NOTHING

    def step(event: Event) -> Verdict:
        nonlocal earned
        moves: list[Move] = []
        if (opening := _OPENINGS.get(event.type)) is not None:
            verdict = opening(state, event, moves)
        elif state.content is None:
            return parked("order.placed")
        else:
            verdict = _STEPS[event.type](state, state.content, event, moves)
        if verdict is not APPLIED:
            return verdict
        if moves:
            _collect(folded.stock, event, moves)
        now_earned = _earned(state)
        if now_earned != earned:
            _earn(folded, event, earned, now_earned)
            earned = now_earned
        return verdict

    folded.verdicts = tell(in_order(events, "order.placed", RANKS), step)
    return folded


_Earned = tuple[str | None, int, Gain]
"""Who earned how many points, and what growth."""
_NOTHING: _Earned = (None, 0, growth.NOTHING)


def _earned(state: OrderState) -> _Earned:
    """What is paid and not refunded earns by the rule, once paid in full."""
    content, at = state.content, earned_at(state)
    if content is None or at is None or not _earns(state):
        return state.account, 0, growth.NOTHING
    net_minor = state.paid_minor - state.refunded_minor
    gain = Gain(state.rules.growth_of(content.currency, net_minor, at), net_minor)
    return state.account, state.rules.points_of(content, net_minor, at), gain


def _earns(state: OrderState) -> bool:
    if state.account is None or not state.is_paid or state.cancelled_at is not None:
        return False
    return state.counts and not state.awaits_delivery


def earned_at(state: OrderState) -> datetime | None:
    """By the rule of when it was paid; what is paid at the door, of when it was received."""
    at = state.paid_at or state.placed_at
    if at is None or state.received_at is None or state.content is None:
        return at
    return max(at, state.received_at) if state.content.is_paid_on_delivery else at


def points_terms(state: OrderState) -> earning.Terms | None:
    """The terms of what the buyer earned, refunds aside; None before the order was placed."""
    at = earned_at(state)
    if state.content is None or at is None:
        return None
    granted = state.rules.points_of(state.content, state.paid_minor, at) if _earns(state) else 0
    return state.rules.terms(state.content, granted, at, state.fulfilled_at)


def _earn(folded: Folded, event: Event, before: _Earned, now: _Earned) -> None:
    """What the event changes: an order that changes its buyer takes points and growth along."""
    for account in {before[0], now[0]} - {None}:
        assert account is not None
        _, was_points, was = before if account == before[0] else _NOTHING
        _, points, gain = now if account == now[0] else _NOTHING
        if points != was_points:
            folded.points[event.key, account] = (points - was_points, event.occurred_at)
        if gain != was:
            change = Gain(gain.growth - was.growth, gain.amount_minor - was.amount_minor)
            folded.growth[event.key, account] = (change, event.occurred_at)


Opening = Callable[[OrderState, Event, list[Move]], Verdict]
"""What may come before the order itself."""
Step = Callable[[OrderState, Content, Event, list[Move]], Verdict]
"""What waits for the order: gets its content."""


def _collect(
    stock: dict[tuple[Key, str, str], StockEffect], event: Event, moves: list[Move]
) -> None:
    for sku, place, kind, on_hand, committed, reserved in moves:
        at = (event.key, sku, place)
        known = stock.get(at)
        if known is not None:
            on_hand += known.on_hand_milli
            committed += known.committed_milli
            reserved += known.reserved_milli
        stock[at] = StockEffect(kind, on_hand, committed, reserved, event.occurred_at)


_OPENINGS: dict[str, Opening] = {
    "order.placed": order_steps.placed,
    "reservation.created": order_steps.reserved,
    "reservation.committed": order_steps.reservation_ended,
    "reservation.released": order_steps.reservation_ended,
    "reservation.expired": order_steps.reservation_ended,
}
_STEPS: dict[str, Step] = {
    "order.amended": order_steps.amended,
    "order.paid": order_money.paid,
    "order.ready_for_pickup": order_steps.noted,
    "order.picked_up": order_steps.picked_up,
    "order.pickup_changed": order_steps.pickup_changed,
    "order.no_show": order_steps.no_show,
    "order.shipped": order_steps.shipped,
    "order.delivered": order_steps.delivered,
    "order.completed": order_steps.completed,
    "order.cancelled": order_steps.cancelled,
    "return.received": order_steps.returned,
    "payment.captured": order_money.paid,
    "payment.settled": order_money.settled,
    "aftersale.requested": order_money.aftersale_requested,
    "aftersale.approved": order_money.aftersale_stepped,
    "aftersale.rejected": order_money.aftersale_stepped,
    "aftersale.closed": order_money.aftersale_stepped,
    "aftersale.exchanged": order_money.aftersale_stepped,
    "refund.processing": order_money.refunding,
    "refund.succeeded": order_money.refunded,
    "refund.failed": order_money.refund_failed,
}
