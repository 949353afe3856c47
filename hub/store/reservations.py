"""Commands on reservations: hold stock for an order, commit it, let it go, end what is overdue.

Each runs in the caller's transaction and raises `Refused` where it is not possible. What a
reservation does to stock is in `hub.domain.reservations`.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import ids, money
from hub.domain.bundles import Components
from hub.domain.decisions import Decision
from hub.domain.distance import Point
from hub.domain.order_data import OrderName
from hub.domain.supply import Wish
from hub.store import commands, log, supply
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

OVERDUE_MAX = 200
"""Reservations ended in one transaction: each holds the locks of its items until COMMIT."""


CREATED = "reservation.created"


class Slot(Struct, frozen=True):
    """The slot from a time on, whose capacity is taken by what is made to order."""

    slot_from: datetime
    made_to_order: frozenset[str]


class Wanted(Struct, frozen=True):
    """What is to be held: quantities in thousandths by (sku, quantity), at one place; None for the
    one that serves the order's shop, the nearest if it is said where the goods shall go."""

    place: str | None
    items: Sequence[tuple[str, int]]
    expires_at: datetime
    slot: Slot | None = None
    near: Point | None = None


async def reserve(connection: Connection, vault: Vault, order: OrderName, wanted: Wanted) -> str:
    """Hold all of it or nothing; where. Refused: insufficient_stock, order_exists, place_missing,
    not_possible."""
    if wanted.place is None:
        wish = Wish(wanted.slot is not None, wanted.near)
        place = await supply.choose_place(connection, order, wanted.items, wish)
        wanted = replace(wanted, place=place)
    await commands.run(connection, vault, [creating(order, wanted)])
    return wanted.place or ""


async def name_components(
    connection: Connection, decisions: Sequence[Decision], at: datetime
) -> list[Decision]:
    """The same decisions; those to hold bundles name what they consist of, since that was known."""
    held = [item for one in decisions if one.type == CREATED for item in one.data["items"]]
    found = await supply.components_now(connection, {item["sku"] for item in held}, at)
    if not found:
        return list(decisions)
    return [_named(one, found) if one.type == CREATED else one for one in decisions]


def _named(decision: Decision, bundles: dict[str, Components]) -> Decision:
    items = []
    for item in decision.data["items"]:
        parts = bundles.get(item["sku"])
        if parts and not item["made_to_order"]:
            named = [{"sku": sku, "quantity": _text(milli)} for sku, milli in parts]
            items.append(item | {"components": named})
        else:
            items.append(item)
    return replace(decision, data=decision.data | {"items": items})


def _text(milli: int) -> str:
    return money.decimal_text(milli, money.QUANTITY_DIGITS)


def creating(order: OrderName, wanted: Wanted) -> Decision:
    """The decision to hold it."""
    data = {
        "order_number": order.order_number,
        "place": wanted.place,
        "items": [
            {
                "sku": sku,
                "quantity": _text(milli),
                "made_to_order": wanted.slot is not None and sku in wanted.slot.made_to_order,
            }
            for sku, milli in wanted.items
        ],
        "expires_at": wanted.expires_at,
    }
    if wanted.slot is not None:
        data["slot_from"] = wanted.slot.slot_from
    return _decision(CREATED, order, data)


def ended(event_type: str, order: OrderName) -> Decision:
    """The decision that what is held is committed or let go."""
    return _decision(event_type, order)


async def commit(connection: Connection, vault: Vault, order: OrderName) -> None:
    """The sale is made: what was held is committed, until the order itself comes."""
    await _end(connection, vault, "reservation.committed", order)


async def release(connection: Connection, vault: Vault, order: OrderName) -> None:
    """Let go of what is held."""
    await _end(connection, vault, "reservation.released", order)


async def expire_overdue(connection: Connection, vault: Vault, at: datetime) -> int:
    """End reservations whose time is over, at most OVERDUE_MAX; how many.

    An order that another write has is left out: it may be committing what is overdue.
    """
    found = await connection.fetch(queries("orders")["overdue_reservations"], at, OVERDUE_MAX)
    keys = [OrderName(*row).key for row in found]
    claimed = [key for key in keys if await log.try_claim(connection, key)]
    rows = await connection.fetch(queries("orders")["still_overdue"], claimed, at)
    orders = [OrderName(*row) for row in rows]
    if orders:
        ended = [_decision("reservation.expired", order) for order in orders]
        await commands.run(connection, vault, ended)
    return len(orders)


async def order_of(connection: Connection, reservation_id: ids.Key) -> OrderName | None:
    """The order that a reservation is for."""
    row = await connection.fetchrow(queries("orders")["reservation"], reservation_id)
    return OrderName(row["channel"], row["shop"], row["order_number"]) if row else None


async def _end(connection: Connection, vault: Vault, event_type: str, order: OrderName) -> None:
    await commands.run(connection, vault, [_decision(event_type, order)])


def _decision(event_type: str, order: OrderName, data: dict[str, object] | None = None) -> Decision:
    return Decision(
        event_type,
        order.channel,
        order.shop,
        order.order_number,
        data if data is not None else {"order_number": order.order_number},
    )
