"""Orders: the fold of an order's own events into its state, its stock effects and its points.

Pure. The same set of events gives the same state in whatever order they came: `fold` sorts them
first. What an order does to stock and points is a list of effects, each named after the event that
caused it, so that a late event changes exactly its own share (`hub.domain.effects`).
"""

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from hub.domain import earning, growth, reservations
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, in_order, parked, tell
from hub.domain.growth import Gain
from hub.domain.ids import Key
from hub.domain.order_data import Content, Handling, Payment
from hub.domain.reservations import Move, Reservation
from hub.domain.stock import QUARANTINED

RANKS = {
    "order.placed": 0, "order.amended": 1, "order.paid": 2, "order.pickup_changed": 3,
    "order.ready_for_pickup": 4, "order.shipped": 5, "order.picked_up": 6, "order.delivered": 7,
    "order.completed": 8, "order.cancelled": 9, "order.no_show": 10, "return.received": 11,
    "refund.succeeded": 12, "reservation.created": 13, "reservation.committed": 14,
    "reservation.released": 15, "reservation.expired": 16,
}  # fmt: skip


class OrderState(Struct):
    """An order as its events say. Quantities by line number, in thousandths."""

    content: Content | None = None
    account: str | None = None
    place: str | None = None
    fulfilled_milli: dict[str, int] = {}
    returned_milli: dict[str, int] = {}
    payments: set[str] = set()
    refunds: set[str] = set()
    paid_minor: int = 0
    refunded_minor: int = 0
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    fulfilled_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    reservation: Reservation | None = None

    @property
    def left_milli(self) -> int:
        """What is still to be given out, over all lines."""
        if self.content is None:
            return 0
        ordered = sum(line.quantity_milli for line in self.content.lines)
        return ordered - sum(self.fulfilled_milli.values())

    @property
    def is_paid(self) -> bool:
        return self.content is not None and self.paid_minor >= self.content.total_minor

    @property
    def status(self) -> str:
        if self.cancelled_at is not None:
            return "cancelled"
        return "completed" if self.completed_at is not None else "open"

    @property
    def payment_status(self) -> str:
        if self.refunded_minor > 0:
            return "refunded" if self.refunded_minor >= self.paid_minor else "partially_refunded"
        if self.is_paid:
            return "paid"
        return "partially_paid" if self.paid_minor > 0 else "unpaid"

    @property
    def fulfilment_status(self) -> str:
        if not any(self.fulfilled_milli.values()):
            return "fulfilled" if self.fulfilled_at is not None else "unfulfilled"
        return "partially_fulfilled" if self.left_milli > 0 else "fulfilled"

    @property
    def return_status(self) -> str:
        returned = sum(self.returned_milli.values())
        if returned == 0:
            return "none"
        return "returned" if returned >= sum(self.fulfilled_milli.values()) else "partly_returned"


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


def fold(events: list[Event]) -> Folded:
    """Fold the events of one order. No events give an empty state."""
    state = OrderState()
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
    content, at = state.content, state.paid_at or state.placed_at
    if content is None or at is None or not _earns(state):
        return state.account, 0, growth.NOTHING
    net_minor = state.paid_minor - state.refunded_minor
    gain = Gain(earning.growth_of(content.currency, net_minor, at), net_minor)
    return state.account, earning.points_of(content, net_minor, at), gain


def _earns(state: OrderState) -> bool:
    return state.account is not None and state.is_paid and state.cancelled_at is None


def points_terms(state: OrderState) -> earning.Terms | None:
    """The terms of what the buyer earned, refunds aside; None before the order was placed."""
    at = state.paid_at or state.placed_at
    if state.content is None or at is None:
        return None
    granted = earning.points_of(state.content, state.paid_minor, at) if _earns(state) else 0
    return earning.terms(state.content, granted, at, state.fulfilled_at)


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


def _commit_left(state: OrderState, sign: int, kind: str, moves: list[Move]) -> None:
    """Commit (+1) or let go (-1) what is ordered and not yet given out."""
    if state.content is None or state.place is None:
        return
    for line in state.content.lines:
        left = line.quantity_milli - state.fulfilled_milli.get(line.line, 0)
        if left > 0:
            moves.append((line.sku, state.place, kind, 0, sign * left, 0))


def _placed(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    if state.content is not None:
        return ignored("the order was placed already")
    _set_content(state, event.data)
    state.placed_at = event.occurred_at
    if not event.data.total_minor:
        state.paid_at = event.occurred_at
    _commit_left(state, 1, "committed", moves)
    return APPLIED


def _set_content(state: OrderState, content: Content) -> None:
    """An amendment that names no buyer or place leaves them as they are."""
    state.content = content
    if content.account is not None:
        state.account = content.account
    if content.place is not None:
        state.place = content.place


def _amended(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None or any(state.fulfilled_milli.values()):
        return ignored("goods were given out or the order was cancelled before the amendment")
    if event.data.currency != content.currency:
        return ignored("the amendment is in another currency than the order")
    _commit_left(state, -1, "amended", moves)
    _set_content(state, event.data)
    _commit_left(state, 1, "amended", moves)
    return APPLIED


def _paid(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    payment: Payment = event.data
    if payment.currency != content.currency:
        return ignored("the payment is in another currency than the order")
    if payment.payment_id in state.payments:
        return ignored("this payment is known already")
    state.payments = state.payments | {payment.payment_id}
    state.paid_minor += payment.amount_minor
    if state.paid_at is None and state.is_paid:
        state.paid_at = event.occurred_at
    return APPLIED


def _note(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    """Steps that are kept in the timeline and change nothing else."""
    return APPLIED


def _pickup_changed(
    state: OrderState, content: Content, event: Event, moves: list[Move]
) -> Verdict:
    if state.cancelled_at is not None or state.left_milli == 0:
        return ignored("nothing is left to be picked up")
    _commit_left(state, -1, "pickup_changed", moves)
    state.place = event.data
    _commit_left(state, 1, "pickup_changed", moves)
    return APPLIED


def _fulfilled(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    handling: Handling = event.data
    return _give_out(state, content, event.occurred_at, handling, moves)


def _give_out(
    state: OrderState, content: Content, at: datetime, handling: Handling, moves: list[Move]
) -> Verdict:
    place = handling.place or state.place
    committed_place = state.place if state.cancelled_at is None else None
    given: dict[str, int] = {}
    for line in content.lines:
        left = line.quantity_milli - state.fulfilled_milli.get(line.line, 0)
        asked = handling.quantities_milli
        quantity = left if asked is None else min(asked.get(line.line, 0), left)
        if quantity <= 0:
            continue
        given[line.line] = quantity
        if place is not None:
            moves.append((line.sku, place, "issued", -quantity, 0, 0))
        if committed_place is not None:
            moves.append((line.sku, committed_place, "issued", 0, -quantity, 0))
    if not given and state.fulfilled_at is not None:
        return ignored("everything was given out already")
    fulfilled = dict(state.fulfilled_milli)
    for line_number, quantity in given.items():
        fulfilled[line_number] = fulfilled.get(line_number, 0) + quantity
    state.fulfilled_milli = fulfilled
    if state.left_milli == 0 and state.fulfilled_at is None:
        state.fulfilled_at = at
    return APPLIED


def _completed(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None:
        return ignored("the order was cancelled before")
    if state.completed_at is not None:
        return ignored("the order was completed already")
    state.completed_at = event.occurred_at
    if state.fulfilled_at is None:
        _give_out(state, content, event.occurred_at, Handling(None, None), moves)
    return APPLIED


def _cancelled(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None:
        return ignored("the order was cancelled already")
    if state.fulfilled_at is not None:
        return ignored("the goods were given out before: a return brings them back")
    _commit_left(state, -1, "cancelled", moves)
    state.cancelled_at = event.occurred_at
    return APPLIED


def _returned(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    handling: Handling = event.data
    place = handling.place or state.place
    returned = dict(state.returned_milli)
    for line in content.lines:
        out = state.fulfilled_milli.get(line.line, 0) - returned.get(line.line, 0)
        quantity = min((handling.quantities_milli or {}).get(line.line, 0), out)
        if quantity <= 0:
            continue
        returned[line.line] = returned.get(line.line, 0) + quantity
        if handling.restock is not False and place is not None:
            kind = "returned" if handling.restock else QUARANTINED
            moves.append((line.sku, place, kind, quantity, 0, 0))
    if returned == state.returned_milli:
        return parked("order.shipped") if state.left_milli else ignored("nothing is out to return")
    state.returned_milli = returned
    return APPLIED


def _refunded(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    refund: Payment = event.data
    if refund.currency != content.currency:
        return ignored("the refund is in another currency than the order")
    if refund.payment_id in state.refunds:
        return ignored("this refund is known already")
    if state.refunded_minor + refund.amount_minor > state.paid_minor:
        return parked("order.paid")
    state.refunds = state.refunds | {refund.payment_id}
    state.refunded_minor += refund.amount_minor
    return APPLIED


def _reserved(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    wanted: Reservation = event.data
    own_moves = moves if state.content is None else None
    state.reservation, verdict = reservations.hold(state.reservation, wanted, own_moves)
    if verdict is APPLIED and state.content is not None and state.place is None:
        state.place = wanted.place
        _commit_left(state, 1, "committed", moves)
    return verdict


def _reservation_ended(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    own_moves = moves if state.content is None else None
    status = reservations.ENDINGS[event.type]
    state.reservation, verdict = reservations.end(state.reservation, status, own_moves)
    return verdict


_OPENINGS: dict[str, Opening] = {
    "order.placed": _placed,
    "reservation.created": _reserved,
    "reservation.committed": _reservation_ended,
    "reservation.released": _reservation_ended,
    "reservation.expired": _reservation_ended,
}
_STEPS: dict[str, Step] = {
    "order.amended": _amended,
    "order.paid": _paid,
    "order.ready_for_pickup": _note,
    "order.picked_up": _fulfilled,
    "order.pickup_changed": _pickup_changed,
    "order.no_show": _note,
    "order.shipped": _fulfilled,
    "order.delivered": _note,
    "order.completed": _completed,
    "order.cancelled": _cancelled,
    "return.received": _returned,
    "refund.succeeded": _refunded,
}
