"""Orders in Postgres: fold the orders that new events touch, and write what changed.

The rows are a projection: state comes from the order's own events in the log. Effects on stock and
points are the difference between the fold before an event and the fold after it.
"""

from datetime import datetime
from itertools import chain

from hub.domain import ids, money
from hub.domain.envelope import EVENTS_MAX, TOO_MANY, Event
from hub.domain.ids import Key, derived
from hub.domain.order_data import Content, OrderName
from hub.domain.order_state import OrderState
from hub.domain.orders import Folded
from hub.domain.spends import Return
from hub.domain.stock import QUARANTINED, Change
from hub.errors import Refused
from hub.store import cases, earnings, growth, log, order_details, order_rows, points_rules
from hub.store.db import Connection, queries
from hub.store.order_folds import Touched
from hub.store.records import Work
from hub.store.sealing import Vault


def parent_of(event: Event) -> OrderName | None:
    """The order that an order event names as the parent of its own."""
    content = event.data
    if not isinstance(content, Content) or content.parent is None:
        return None
    return OrderName(event.channel, event.shop, content.parent)


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new order events and write orders, lines, and the effects they cause."""
    new = work.of("order")
    judged_anew = await points_rules.orders_since(connection, work)
    if not new and not judged_anew:
        return
    await log.claim(connection, [name.key for name in judged_anew])
    touched = await _load(connection, vault, work, _names(new, judged_anew))
    children: list[tuple[Key, Key]] = []
    for event in new:
        order = touched[event.entity_key]
        if len(order.events) >= EVENTS_MAX:
            work.verdicts[event.key] = TOO_MANY
            continue
        if work.is_decision:
            _refuse(order, event)
        before, after = order.add(event)
        work.judge(event, before.verdicts, after.verdicts)
        _note_effects(work, event, order, before, after)
        if (parent := parent_of(event)) is not None:
            children.append((parent.key, event.entity_key))
            _note_effects(work, event, touched[parent.key], *touched[parent.key].become_parent())
    work.over_before |= {
        OrderName(order.channel, order.shop, order.number): order.was.state.over_at
        for order in touched.values()
        if order.was.state.over_at != order.now.state.over_at
    }
    await order_rows.write(connection, touched)
    await order_details.write(connection, touched)
    await order_details.add_children(connection, children)
    await _follow(connection, work, touched)


def _refuse(order: Touched, event: Event) -> None:
    """Refuse what the hub would not decide, though it can happen elsewhere."""
    state = order.now.state
    if event.type == "reservation.created" and state.content is not None:
        raise Refused("order_exists", "the order was placed already", order_number=order.number)
    if event.type != "refund.processing" or event.data.is_compensation or state.content is None:
        return
    if event.data.amount_minor > state.refundable_minor:
        digits = money.exponent(state.content.currency)
        left = money.decimal_text(max(state.refundable_minor, 0), digits)
        raise Refused("refund_above_paid", f"no more than {left} can go back", refundable=left)


def _names(new: list[Event], judged_anew: list[OrderName]) -> dict[Key, OrderName]:
    """The orders that a write touches."""
    names = {name.key: name for name in judged_anew}
    for event in new:
        if event.entity_key not in names:
            names[event.entity_key] = OrderName(event.channel, event.shop, event.subject)
        if (parent := parent_of(event)) is not None:
            names.setdefault(parent.key, parent)
    return names


async def _load(
    connection: Connection, vault: Vault, work: Work, names: dict[Key, OrderName]
) -> dict[Key, Touched]:
    rows = await connection.fetch(queries("orders")["lock"], sorted(names))
    parents = {row["order_id"] for row in rows if row["is_parent"]}
    since: dict[Key, datetime] = {
        row["order_id"]: row["first_received_at"]
        for row in rows
        if row["first_received_at"] is not None
    }
    past = await log.history(connection, vault, "order", since, work.first_log_id)
    judged = None
    if any(_may_earn(event) for event in chain(work.of("order"), *past.values())):
        judged = await points_rules.judged(connection, work)
    # A write that waited for another began before it: the earlier of both is when the first came.
    touched = {
        key: Touched(
            name,
            past.get(key, []),
            min(since.get(key, work.received_at), work.received_at),
            is_parent=key in parents,
            rules=judged.before if judged is not None else None,
        )
        for key, name in names.items()
    }
    if judged is not None and judged.cause is not None:
        for order in touched.values():
            _note_effects(work, judged.cause, order, *order.earn_by(judged.now))
    return touched


def _may_earn(event: Event) -> bool:
    """Whether an order of which this is told may earn: a reservation alone does not."""
    return not event.type.startswith("reservation.")


def _note_effects(work: Work, event: Event, order: Touched, before: Folded, after: Folded) -> None:
    """Note what the event changes; it may be one of a child, which makes the order a parent."""
    for at in after.stock.keys() | before.stock.keys() if before.stock else after.stock:
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
                order.key,
                reserved,
                on_hand if known.kind == QUARANTINED else 0,
            )
            work.stock.append((work.log_ids[event.key], change))
    if after.points or before.points:
        earnings.note(work, event, order, before, after)
    if after.growth or before.growth:
        growth.note(work, event, order, before, after)
    if after.state.points_back != before.state.points_back:
        spend_id = ids.spend_id(order.channel, order.shop, order.number)
        back = after.state.points_back.items()
        work.points_back[spend_id] = [Return(points, at, key) for key, (points, at) in back]


async def _follow(connection: Connection, work: Work, touched: dict[Key, Touched]) -> None:
    """Cases of orders: nobody came for it, or money came for one that was called off."""
    for kind, wants in (("no_show", _no_show), ("paid_after_cancellation", _paid_late)):
        found = {
            "/".join((order.channel, order.shop, order.number)): wants(order.now.state)
            for order in touched.values()
            if wants(order.was.state) is not None or wants(order.now.state) is not None
        }
        if found:
            await cases.follow_objects(connection, kind, "order", found, work.received_at)


def _no_show(state: OrderState) -> dict[str, object] | None:
    if state.no_show_at is None or state.fulfilled_at or state.cancelled_at:
        return None
    return {"place": state.place, "no_show_at": state.no_show_at.isoformat()}


def _paid_late(state: OrderState) -> dict[str, object] | None:
    kept = state.paid_minor - state.refunded_minor - state.refunding_minor
    if not state.paid_late_minor or kept <= 0:
        return None
    return {"paid_late_minor": state.paid_late_minor, "kept_minor": kept}
