"""What the steps of an order do to stock: commit, give out, take back. Pure.

Moves are (sku, place, kind, on hand, committed, reserved) in thousandths. An order that is not a
sale of its own moves nothing. A line of a bundle moves its components, in proportion.
"""

from collections.abc import Iterable

from hub.domain import slots
from hub.domain.bundles import taken_milli
from hub.domain.order_data import Content, Handling, Line
from hub.domain.order_state import OrderState
from hub.domain.reservations import Move
from hub.domain.stock import QUARANTINED


def commit_left(state: OrderState, sign: int, kind: str, moves: list[Move]) -> None:
    """Commit (+1) or let go (-1) what is ordered and not yet given out."""
    if state.content is None or state.place is None or not state.counts:
        return
    for line in state.content.lines:
        left = state.left_of(line.line, line.quantity_milli)
        if left > 0:
            for sku, quantity in _taken(state, line, left, 0):
                moves.append((sku, state.place, kind, 0, sign * quantity, 0))


def give_out(
    state: OrderState, content: Content, handling: Handling, moves: list[Move]
) -> dict[str, int]:
    """Give out what is asked for and left; quantities by line."""
    place = handling.place or state.place
    committed_place = state.place if state.cancelled_at is None else None
    given: dict[str, int] = {}
    for line in content.lines:
        left = state.left_of(line.line, line.quantity_milli)
        asked = handling.quantities_milli
        quantity = left if asked is None else min(asked.get(line.line, 0), left)
        if quantity <= 0:
            continue
        given[line.line] = quantity
        if not state.counts:
            continue
        for sku, taken in _taken(state, line, left, left - quantity):
            if place is not None:
                moves.append((sku, place, "issued", -taken, 0, 0))
            if committed_place is not None:
                moves.append((sku, committed_place, "issued", 0, -taken, 0))
    return given


def call_off(
    state: OrderState, content: Content, asked_milli: dict[str, int], moves: list[Move]
) -> dict[str, int]:
    """Let go of what is called off and left; quantities by line."""
    gone: dict[str, int] = {}
    for line in content.lines:
        left = state.left_of(line.line, line.quantity_milli)
        quantity = min(asked_milli.get(line.line, 0), left)
        if quantity <= 0:
            continue
        gone[line.line] = quantity
        if state.place is not None and state.counts:
            for sku, taken in _taken(state, line, left, left - quantity):
                moves.append((sku, state.place, "cancelled", 0, -taken, 0))
    return gone


def take_back(
    state: OrderState, content: Content, handling: Handling, moves: list[Move]
) -> dict[str, int]:
    """Take back what is out, for sale or to be looked at first; quantities by line."""
    place = handling.place or state.place
    back: dict[str, int] = {}
    for line in content.lines:
        out = state.fulfilled_milli.get(line.line, 0) - state.returned_milli.get(line.line, 0)
        quantity = min((handling.quantities_milli or {}).get(line.line, 0), out)
        if quantity <= 0:
            continue
        back[line.line] = quantity
        is_stocked = state.counts and not line.is_made_to_order
        if handling.restock is not False and place is not None and is_stocked:
            kind = "returned" if handling.restock else QUARANTINED
            for sku, taken in _taken(state, line, out, out - quantity):
                moves.append((sku, place, kind, taken, 0, 0))
    return back


def _taken(
    state: OrderState, line: Line, before_milli: int, after_milli: int
) -> Iterable[tuple[str, int]]:
    """What of stock it takes that so much of a line becomes so much less: (sku, thousandths).

    The steps of a line add up to the whole of it, however it is parted.
    """
    parts = state.components.get(line.line) if state.components else None
    if parts is None:
        sku = slots.stock_sku(line, state.pickup)
        return ((sku, before_milli - after_milli),) if sku else ()
    return [
        (sku, taken_milli(before_milli, per_unit) - taken_milli(after_milli, per_unit))
        for sku, per_unit in parts
    ]


def added(known: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    """Quantities by line, summed; a new dictionary, since states share theirs."""
    summed = dict(known)
    for line, quantity in more.items():
        summed[line] = summed.get(line, 0) + quantity
    return summed
