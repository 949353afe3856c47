"""The rows of an order beside its head and lines: what few orders have, and its money's later way.

Rows are written where they changed. What they say is decided in `hub.domain.order_state`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from hub.domain import ids
from hub.domain.ids import Key
from hub.domain.order_state import OrderState
from hub.store.db import Connection, Rows
from hub.store.order_folds import Touched

_DETAILS = Rows(
    "order_details",
    key=("order_id",),
    columns={
        "order_id": "uuid",
        "parent_id": "uuid",
        "origin_id": "uuid",
        "tenders": "jsonb",
        "tendered_minor": "bigint",
        "is_paid_on_delivery": "boolean",
        "deposit_kind": "text",
        "deposit_minor": "bigint",
        "balance_due_at": "timestamptz",
        "forfeited_minor": "bigint",
        "compensated_minor": "bigint",
        "refunding_minor": "bigint",
        "paid_late_minor": "bigint",
        "slot_from": "timestamptz",
        "slot_until": "timestamptz",
        "cut_off": "timestamptz",
        "session_id": "text",
        "anchor": "text",
        "cancelled_milli": "jsonb",
        "received_at": "timestamptz",
        "no_show_at": "timestamptz",
    },
)
_REFUNDS = Rows(
    "order_refunds",
    key=("order_id", "refund_id"),
    columns={
        "order_id": "uuid",
        "refund_id": "text",
        "kind": "text",
        "status": "text",
        "amount_minor": "bigint",
        "points": "bigint",
        "lines": "jsonb",
        "aftersale_id": "text",
        "asked_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)
_AFTERSALES = Rows(
    "aftersales",
    key=("order_id", "aftersale_id"),
    columns={
        "order_id": "uuid",
        "aftersale_id": "text",
        "kind": "text",
        "status": "text",
        "quantities_milli": "jsonb",
        "amount_minor": "bigint",
        "requested_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)
_SETTLEMENTS = Rows(
    "order_settlements",
    key=("order_id", "payment_id"),
    columns={
        "order_id": "uuid",
        "payment_id": "text",
        "amount_minor": "bigint",
        "fee_minor": "bigint",
        "commission_minor": "bigint",
        "subsidy_minor": "bigint",
    },
)


_LINE_STOCK = Rows(
    "order_line_stock",
    key=("order_id", "line"),
    columns={
        "order_id": "uuid",
        "line": "text",
        "sku": "text",
        "components": "jsonb",
        "placed_at": "timestamptz",
    },
)


_CHILDREN = Rows(
    "order_children",
    key=("parent_id", "order_id"),
    columns={"parent_id": "uuid", "order_id": "uuid"},
)


_OVER = Rows(
    "orders_over",
    key=("order_id",),
    columns={"order_id": "uuid", "over_at": "timestamptz"},
)


async def add_children(connection: Connection, named: Iterable[tuple[Key, Key]]) -> None:
    """Note (parent, child): who was ever named as a parent is one, whatever was told first."""
    await _CHILDREN.insert_new(connection, sorted(set(named)))


async def write(connection: Connection, touched: Mapping[Key, Touched]) -> None:
    """Write the rows of these orders that changed; most orders have none."""
    details = [
        _details(order)
        for order in touched.values()
        if _is_more(order.was.state) or _is_more(order.now.state)
    ]
    await _DETAILS.upsert(connection, details)
    beside = [
        order
        for order in touched.values()
        if _has_beside(order.was.state) or _has_beside(order.now.state)
    ]
    if beside:
        await _write_beside(connection, beside)


async def _write_beside(connection: Connection, orders: Sequence[Touched]) -> None:
    ends = {
        order.key: order.now.state.over_at
        for order in orders
        if order.was.state.over_at != order.now.state.over_at
    }
    await _OVER.delete(connection, [(key,) for key, at in ends.items() if at is None])
    await _OVER.upsert(connection, [(key, at) for key, at in ends.items() if at is not None])
    for rows, of in _BESIDE:
        changed: list[tuple[object, ...]] = []
        gone: list[tuple[object, ...]] = []
        for order in orders:
            was, now = of(order.key, order.was.state), of(order.key, order.now.state)
            changed += [row for name, row in now.items() if was.get(name) != row]
            # A late event can take an earlier one's place.
            gone += [(order.key, name) for name in was if name not in now]
        await rows.delete(connection, gone)
        await rows.upsert(connection, changed)


def _has_beside(state: OrderState) -> bool:
    """Whether it ended early, money went back, a complaint came, or a platform's bill; or lines
    take other stock than their own."""
    return bool(
        state.over_at or state.refunds or state.aftersales or state.settlements or state.components
    )


def _is_more(state: OrderState) -> bool:
    """Whether there is more to tell of the order than of most."""
    content = state.content
    if content is None:
        return False
    return bool(
        content.tenders
        or content.deposit
        or content.session
        or content.parent
        or content.origin
        or content.children
        or content.is_paid_on_delivery
        or state.pickup
        or state.cancelled_milli
        or state.compensated_minor
        or state.paid_late_minor
        or state.no_show_at
        or state.refunding_minor
    )


def _details(order: Touched) -> tuple[object, ...]:
    state = order.now.state
    content = state.content
    assert content is not None
    parent = content.parent
    deposit, pickup, session = content.deposit, state.pickup, content.session or (None, None)
    return (
        order.key,
        ids.order_id(order.channel, order.shop, parent) if parent is not None else None,
        content.origin.key if content.origin is not None else None,
        content.tenders or None,
        content.tendered_minor,
        content.is_paid_on_delivery,
        deposit.kind if deposit is not None else None,
        deposit.amount_minor if deposit is not None else None,
        deposit.balance_due_at if deposit is not None else None,
        state.forfeited_minor,
        state.compensated_minor,
        state.refunding_minor,
        state.paid_late_minor,
        pickup.slot_from if pickup is not None else None,
        pickup.slot_until if pickup is not None else None,
        pickup.cut_off if pickup is not None else None,
        *session,
        state.cancelled_milli or None,
        state.received_at,
        state.no_show_at,
    )


_Named = dict[str, tuple[object, ...]]
"""Rows by the name they have within their order."""


def _refunds(key: Key, state: OrderState) -> _Named:
    return {
        name: (
            key,
            name,
            "compensation" if one.refund.is_compensation else "refund",
            one.status,
            one.refund.amount_minor,
            one.points,
            one.refund.lines or None,
            one.refund.aftersale_id,
            one.asked_at,
            one.ended_at,
        )
        for name, one in state.refunds.items()
    }


def _aftersales(key: Key, state: OrderState) -> _Named:
    return {
        name: (
            key,
            name,
            one.wanted.kind,
            one.status,
            one.wanted.quantities_milli or None,
            one.wanted.amount_minor,
            one.requested_at,
            one.ended_at,
        )
        for name, one in state.aftersales.items()
    }


def _bills(key: Key, state: OrderState) -> _Named:
    return {
        name: (
            key,
            name,
            one.amount_minor,
            one.fee_minor,
            one.commission_minor,
            one.subsidy_minor,
        )
        for name, one in state.settlements.items()
    }


def _line_stock(key: Key, state: OrderState) -> _Named:
    """Only of orders that move stock: of the others nobody asks."""
    content = state.content
    if not state.components or content is None or state.place is None or not state.counts:
        return {}
    return {
        line.line: (key, line.line, line.sku, state.components[line.line], state.placed_at)
        for line in content.lines
        if line.line in state.components and line.quantity_milli
    }


_BESIDE: tuple[tuple[Rows, Callable[[Key, OrderState], _Named]], ...] = (
    (_REFUNDS, _refunds),
    (_AFTERSALES, _aftersales),
    (_SETTLEMENTS, _bills),
    (_LINE_STOCK, _line_stock),
)
