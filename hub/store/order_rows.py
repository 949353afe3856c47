"""The rows of orders, their lines and reservations, written where they changed.

What few orders have beside them: `hub.store.order_details`.
"""

from collections.abc import Mapping

from hub.domain import ids, slots
from hub.domain.ids import Key
from hub.domain.orders import Folded
from hub.domain.reservations import HOLDING, Reservation
from hub.store.db import Connection, Rows, queries
from hub.store.order_folds import Touched

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
        "is_sale": "boolean",
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
        "stock_sku": "text",
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


async def write(connection: Connection, touched: Mapping[Key, Touched]) -> None:
    """Write the heads, lines and reservations that changed."""
    order_rows, new_orders = [], []
    line_rows, new_lines = [], []
    amended: list[Key] = []
    held = []
    for key, order in touched.items():
        state = order.now.state
        if state.reservation is not None:
            held.append(_reservation_row(key, order, state.reservation))
        if state.content is None or order.now is order.was:
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


def _reservation_row(key: Key, order: Touched, held: Reservation) -> tuple[object, ...]:
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


def _order_row(key: Key, order: Touched) -> tuple[object, ...]:
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
        state.counts,
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
            slots.stock_sku(line, state.pickup) if line.is_made_to_order else None,
        )
        for line in state.content.lines
    }
