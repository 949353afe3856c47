"""The steps of an order from its placing to its end: what each event does to its state. Pure.

Money is in `hub.domain.order_money`, the fold that tells the steps in `hub.domain.orders`.
"""

from datetime import datetime

from msgspec import structs

from hub.domain import order_moves, reservations
from hub.domain.decisions import SOURCE
from hub.domain.envelope import APPLIED, Event, Verdict, ignored, parked
from hub.domain.order_data import Cancellation, Content, Handling, PickupChange
from hub.domain.order_state import OrderState
from hub.domain.reservations import Move, Reservation
from hub.domain.supply import NOTHING, Wish, taken_by


def placed(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    if state.content is not None:
        return ignored("the order was placed already")
    state.placed_at = event.occurred_at
    _set_content(state, event)
    if state.place is None and state.supply is not NOTHING:
        named = event.channel, event.shop, event.occurred_at
        wish = Wish(state.pickup is not None, event.data.near)
        state.place = state.chosen_place = state.supply.place(*named, wish)
    if not state.due_minor:
        state.paid_at = event.occurred_at
    order_moves.commit_left(state, 1, "committed", moves)
    return APPLIED


def _set_content(state: OrderState, event: Event) -> None:
    """An amendment that names no buyer, place or slot leaves them as they are, and whose part or
    report an order is never changes. What a bundle consists of is as of the placing."""
    content: Content = event.data
    known = state.content
    if known is not None and (known.parent or known.origin):
        content = structs.replace(content, parent=known.parent, origin=known.origin)
    state.content = content
    if content.account is not None:
        state.account = content.account
    if content.place is not None:
        state.place = content.place
    if content.pickup is not None:
        state.pickup = content.pickup
    at = state.placed_at or event.occurred_at
    state.components = taken_by(content, state.supply, event.channel, at)


def amended(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None or any(state.fulfilled_milli.values()):
        return ignored("goods were given out or the order was cancelled before the amendment")
    if event.data.currency != content.currency:
        return ignored("the amendment is in another currency than the order")
    order_moves.commit_left(state, -1, "amended", moves)
    state.cancelled_milli = {}
    _set_content(state, event)
    order_moves.commit_left(state, 1, "amended", moves)
    return APPLIED


def noted(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    """Steps that are kept in the timeline and change nothing else."""
    return APPLIED


def delivered(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    _receive(state, event.occurred_at)
    return APPLIED


def no_show(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.no_show_at is None:
        state.no_show_at = event.occurred_at
    return APPLIED


def pickup_changed(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None or state.left_milli == 0:
        return ignored("nothing is left to be picked up")
    change: PickupChange = event.data
    cut_off = state.pickup.cut_off if state.pickup is not None else None
    if event.source == SOURCE and cut_off is not None and event.occurred_at > cut_off:
        return ignored("it is too late to change the pick-up")
    order_moves.commit_left(state, -1, "pickup_changed", moves)
    state.place = change.place
    state.pickup = change.pickup or state.pickup
    order_moves.commit_left(state, 1, "pickup_changed", moves)
    return APPLIED


def shipped(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    return _give_out(state, content, event.occurred_at, event.data, moves)


def picked_up(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    """The sale is the store's where the last of it was handed over."""
    handling: Handling = event.data
    verdict = _give_out(state, content, event.occurred_at, handling, moves)
    if verdict is APPLIED:
        _receive(state, event.occurred_at)
        if state.left_milli == 0 and handling.place is not None:
            state.place = handling.place
    return verdict


def _give_out(
    state: OrderState, content: Content, at: datetime, handling: Handling, moves: list[Move]
) -> Verdict:
    given = order_moves.give_out(state, content, handling, moves)
    if not given and state.fulfilled_at is not None:
        return ignored("everything was given out already")
    state.fulfilled_milli = order_moves.added(state.fulfilled_milli, given)
    if state.left_milli == 0 and state.fulfilled_at is None:
        state.fulfilled_at = at
    return APPLIED


def _receive(state: OrderState, at: datetime) -> None:
    if state.received_at is None:
        state.received_at = at


def completed(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None:
        return ignored("the order was cancelled before")
    if state.completed_at is not None:
        return ignored("the order was completed already")
    state.completed_at = event.occurred_at
    _receive(state, event.occurred_at)
    if state.fulfilled_at is None:
        _give_out(state, content, event.occurred_at, Handling(None, None), moves)
    return APPLIED


def cancelled(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    if state.cancelled_at is not None:
        return ignored("the order was cancelled already")
    if state.fulfilled_at is not None:
        return ignored("the goods were given out before: a return brings them back")
    asked: Cancellation = event.data
    if event.source == SOURCE and asked.fault == "buyer" and state.is_paid:
        return ignored("the balance was paid in time")
    if asked.quantities_milli is not None:
        return _call_off(state, content, event, moves)
    order_moves.commit_left(state, -1, "cancelled", moves)
    state.cancelled_at = event.occurred_at
    state.fault = asked.fault
    return APPLIED


def _call_off(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    """A part is called off; once nothing is left, the order is over: cancelled or given out."""
    asked: Cancellation = event.data
    gone = order_moves.call_off(state, content, asked.quantities_milli or {}, moves)
    if not gone:
        return ignored("nothing of it is left to be called off")
    state.cancelled_milli = order_moves.added(state.cancelled_milli, gone)
    if state.paid_at is None and state.is_paid:
        state.paid_at = event.occurred_at
    if state.left_milli == 0:
        if any(state.fulfilled_milli.values()):
            state.fulfilled_at = event.occurred_at
        else:
            state.cancelled_at = event.occurred_at
            state.fault = asked.fault
    return APPLIED


def returned(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    back = order_moves.take_back(state, content, event.data, moves)
    if not back:
        return parked("order.shipped") if state.left_milli else ignored("nothing is out to return")
    state.returned_milli = order_moves.added(state.returned_milli, back)
    return APPLIED


def reserved(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    wanted: Reservation = event.data
    own_moves = moves if state.content is None else None
    state.reservation, verdict = reservations.hold(state.reservation, wanted, own_moves)
    # What was decided stands before what the configuration would have chosen.
    is_open = state.place is None or state.place == state.chosen_place
    if verdict is APPLIED and state.content is not None and is_open:
        order_moves.commit_left(state, -1, "committed", moves)
        state.place = wanted.place
        order_moves.commit_left(state, 1, "committed", moves)
    return verdict


def reservation_ended(state: OrderState, event: Event, moves: list[Move]) -> Verdict:
    own_moves = moves if state.content is None else None
    status = reservations.ENDINGS[event.type]
    state.reservation, verdict = reservations.end(state.reservation, status, own_moves)
    return verdict
