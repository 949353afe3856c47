"""Orders in Postgres: fold the orders that new events touch, and write what changed.

The rows are a projection: state comes from the order's own events in the log. Effects on stock and
points are the difference between the fold before an event and the fold after it.
"""

from datetime import datetime

from hub.domain import ids, orders
from hub.domain.envelope import EVENTS_MAX, TOO_MANY, Event
from hub.domain.ids import Key, derived
from hub.domain.orders import Folded
from hub.domain.reservations import HOLDING, Reservation
from hub.domain.stock import QUARANTINED, Change
from hub.errors import Refused
from hub.store import earnings, growth, log
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.sealing import Vault

_ORDERS = Rows(
    "orders",
    key=("order_id",),
    columns={
        "order_id": "uuid",
        "channel": "text",
        "shop": "text",
        "order_number": "text",
        "profile_id": "uuid",
        "place": "text",
        "currency": "text",
        "status": "text",
        "payment_status": "text",
        "fulfilment_status": "text",
        "return_status": "text",
        "gross_minor": "bigint",
        "discount_minor": "bigint",
        "total_minor": "bigint",
        "paid_minor": "bigint",
        "refunded_minor": "bigint",
        "placed_at": "timestamptz",
        "paid_at": "timestamptz",
        "fulfilled_at": "timestamptz",
        "completed_at": "timestamptz",
        "cancelled_at": "timestamptz",
        "event_count": "int",
        "first_received_at": "timestamptz",
    },
)
_LINES = Rows(
    "order_lines",
    key=("order_id", "line"),
    columns={
        "order_id": "uuid",
        "line": "text",
        "sku": "text",
        "quantity_milli": "bigint",
        "fulfilled_milli": "bigint",
        "returned_milli": "bigint",
        "unit_price_minor": "bigint",
        "gross_minor": "bigint",
        "discount_minor": "bigint",
        "total_minor": "bigint",
        "discounts": "jsonb",
    },
)


_RESERVATIONS = Rows(
    "reservations",
    key=("order_id",),
    columns={
        "order_id": "uuid",
        "channel": "text",
        "shop": "text",
        "order_number": "text",
        "place": "text",
        "status": "text",
        "quantities_milli": "jsonb",
        "expires_at": "timestamptz",
        "first_received_at": "timestamptz",
    },
)


class _Touched:
    """An order that this write changes: its events and fold before and after."""

    def __init__(self, first: Event, past: list[Event], since: datetime) -> None:
        self.channel = first.channel
        self.shop = first.shop
        self.number = first.subject
        self.events = past
        self.first_received_at = since
        self.was = orders.fold(past)
        self.now = self.was

    def add(self, event: Event) -> tuple[Folded, Folded]:
        """Fold one more event in; the folds before and after it."""
        before = self.now
        self.events.append(event)
        self.now = orders.fold(self.events)
        return before, self.now


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new order events and write orders, lines, and the effects they cause."""
    new = work.of("order")
    if not new:
        return
    touched = await _load(connection, vault, work, new)
    for event in new:
        order = touched[event.entity_key]
        if len(order.events) >= EVENTS_MAX:
            work.verdicts[event.key] = TOO_MANY
            continue
        if work.is_decision and event.type == "reservation.created":
            _refuse_if_placed(order)
        before, after = order.add(event)
        work.judge(event, before.verdicts, after.verdicts)
        _note_effects(work, event, order, before, after)
    await _write(connection, touched)


def _refuse_if_placed(order: _Touched) -> None:
    if order.now.state.content is not None:
        raise Refused("order_exists", "the order was placed already", order_number=order.number)


async def _load(
    connection: Connection, vault: Vault, work: Work, new: list[Event]
) -> dict[Key, _Touched]:
    first_of: dict[Key, Event] = {}
    for event in new:
        first_of.setdefault(event.entity_key, event)
    wanted = sorted(first_of)
    rows = await connection.fetch(queries("orders")["lock"], wanted)
    since: dict[Key, datetime] = {row["order_id"]: row["first_received_at"] for row in rows}
    past = await log.history(connection, vault, "order", since, work.first_log_id)
    # A write that waited for another began before it: the earlier of both is when the first came.
    return {
        key: _Touched(
            first,
            past.get(key, []),
            min(since.get(key, work.received_at), work.received_at),
        )
        for key, first in first_of.items()
    }


def _note_effects(work: Work, event: Event, order: _Touched, before: Folded, after: Folded) -> None:
    for at in after.stock.keys() | before.stock.keys():
        then, now = before.stock.get(at), after.stock.get(at)
        if then == now:
            continue
        known = now or then
        assert known is not None
        on_hand = (now.on_hand_milli if now else 0) - (then.on_hand_milli if then else 0)
        committed = (now.committed_milli if now else 0) - (then.committed_milli if then else 0)
        reserved = (now.reserved_milli if now else 0) - (then.reserved_milli if then else 0)
        if on_hand or committed or reserved:
            cause, sku, place = at
            change = Change(
                sku,
                place,
                known.kind,
                on_hand,
                committed,
                known.occurred_at,
                cause,
                derived("movement", event.key, cause, ids.stock_id(sku, place)),
                event.entity_key,
                reserved,
                on_hand if known.kind == QUARANTINED else 0,
            )
            work.stock.append((work.log_ids[event.key], change))
    if after.points or before.points:
        earnings.note(work, event, order.channel, before, after)
    if after.growth or before.growth:
        growth.note(work, event, order.channel, before, after)


async def _write(connection: Connection, touched: dict[Key, _Touched]) -> None:
    order_rows, new_orders = [], []
    line_rows, new_lines = [], []
    amended: list[Key] = []
    held = []
    for key, order in touched.items():
        state = order.now.state
        if state.reservation is not None:
            held.append(_reservation_row(key, order, state.reservation))
        if state.content is None:
            continue
        if order.was.state.content is None:
            new_orders.append(_order_row(key, order))
            new_lines += _line_rows(key, order.now).values()
            continue
        order_rows.append(_order_row(key, order))
        lines, known = _line_rows(key, order.now), _line_rows(key, order.was)
        line_rows += [row for line, row in lines.items() if known.get(line) != row]
        if known.keys() - lines.keys():
            amended.append(key)
            line_rows += [row for line, row in lines.items() if known.get(line) == row]
    if amended:
        await connection.execute(queries("orders")["delete_lines"], amended)
    await _ORDERS.insert(connection, new_orders)
    await _LINES.insert(connection, new_lines)
    await _ORDERS.upsert(connection, order_rows)
    await _LINES.upsert(connection, line_rows)
    await _RESERVATIONS.upsert(connection, held)


def _reservation_row(key: Key, order: _Touched, held: Reservation) -> tuple[object, ...]:
    is_confirmed = order.now.state.content is not None and held.status in HOLDING
    return (
        key,
        order.channel,
        order.shop,
        order.number,
        held.place,
        "confirmed" if is_confirmed else held.status,
        held.quantities_milli,
        held.expires_at,
        order.first_received_at,
    )


def _order_row(key: Key, order: _Touched) -> tuple[object, ...]:
    state = order.now.state
    content = state.content
    assert content is not None
    gross = sum(line.gross_minor for line in content.lines)
    account = state.account
    profile = ids.profile_id(order.channel, account) if account is not None else None
    return (
        key,
        order.channel,
        order.shop,
        order.number,
        profile,
        state.place,
        content.currency,
        state.status,
        state.payment_status,
        state.fulfilment_status,
        state.return_status,
        gross,
        gross - content.total_minor,
        content.total_minor,
        state.paid_minor,
        state.refunded_minor,
        state.placed_at,
        state.paid_at,
        state.fulfilled_at,
        state.completed_at,
        state.cancelled_at,
        len(order.events),
        order.first_received_at,
    )


def _line_rows(key: Key, folded: Folded) -> dict[str, tuple[object, ...]]:
    state = folded.state
    if state.content is None:
        return {}
    return {
        line.line: (
            key,
            line.line,
            line.sku,
            line.quantity_milli,
            state.fulfilled_milli.get(line.line, 0),
            state.returned_milli.get(line.line, 0),
            line.unit_price_minor,
            line.gross_minor,
            line.discount_minor,
            line.gross_minor - line.discount_minor,
            line.discounts or None,
        )
        for line in state.content.lines
    }
