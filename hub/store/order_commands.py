"""Commands on orders: agree on another pick-up, let money go back, end sales whose balance is due.

Each runs in the caller's transaction and raises `Refused` where it is not possible. What they do to
an order is in its fold.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hub.domain.decisions import Decision
from hub.domain.order_data import OrderName
from hub.errors import Refused
from hub.store import commands, log
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

_PAID = frozenset({"paid", "confirmed"})
"""Goods go over the counter then; `confirmed` is paid at the counter."""
_OBSTACLES = {
    "no_pickup": "the order is not to be picked up",
    "other_store": "another store has it",
    "order_over": "the order was cancelled or completed",
    "not_paid": "the order is not paid",
}
OVERDUE_MAX = 200
"""Orders ended in one transaction: each holds the locks of its items until COMMIT."""


async def change_pickup(
    connection: Connection, vault: Vault, order: OrderName, agreed: dict[str, Any]
) -> None:
    """Agree on another store or slot, as the payload `agreed` says."""
    await commands.run(connection, vault, [_decision("order.pickup_changed", order, agreed)])


async def refund(
    connection: Connection, vault: Vault, order: OrderName, wanted: dict[str, Any]
) -> None:
    """Let money go back, as the payload `wanted` says: it is on its way until the channel tells
    how it ended."""
    await commands.run(connection, vault, [_decision("refund.processing", order, wanted)])


async def hand_over(connection: Connection, vault: Vault, order: OrderName, place: str) -> None:
    """Its buyer took all that is left of it, at this store: refused where another one has it, and
    while it is not paid. Handed over there before, nothing changes."""
    await log.claim(connection, [order.key])
    row = await connection.fetchrow(queries("orders")["to_hand_over"], order.key)
    assert row is not None, "who names an order has read it"
    why = obstacle(row, place)
    if why == "handed_over":
        return
    if why is not None:
        where = {"place": row["place"]} if why == "other_store" else {}
        raise Refused(why, _OBSTACLES[why], **where)
    await commands.run(connection, vault, [_decision("order.picked_up", order, {"place": place})])


def obstacle(order: Mapping[str, Any], place: str) -> str | None:
    """Why an order's row is not handed over at this place, in a word; None: it is."""
    if order["place"] is None:
        return "no_pickup"
    if order["place"] != place:
        return "other_store"
    if order["fulfilment_status"] == "fulfilled":
        return "handed_over"
    if order["status"] != "open":
        return "order_over"
    return None if order["payment_status"] in _PAID else "not_paid"


async def default_overdue(connection: Connection, vault: Vault, at: datetime) -> int:
    """Call off orders whose balance was not paid in time, at most OVERDUE_MAX: the buyer broke the
    sale. How many. One that another write has is left for the next time."""
    rows = await connection.fetch(queries("orders")["balance_overdue"], at, OVERDUE_MAX)
    names = [OrderName(row["channel"], row["shop"], row["order_number"]) for row in rows]
    claimed = [name for name in names if await log.try_claim(connection, name.key)]
    keys = [name.key for name in claimed]
    rows = await connection.fetch(queries("orders")["still_unpaid"], keys, at)
    unpaid = {row["order_id"] for row in rows}
    said = {"fault": "buyer", "reason": "the balance was not paid in time"}
    ended = [_decision("order.cancelled", name, said) for name in claimed if name.key in unpaid]
    if ended:
        await commands.run(connection, vault, ended)
    return len(ended)


async def order_of(connection: Connection, order_id: bytes) -> OrderName | None:
    """The order of an id."""
    row = await connection.fetchrow(queries("orders")["name"], order_id)
    return OrderName(row["channel"], row["shop"], row["order_number"]) if row else None


def _decision(event_type: str, order: OrderName, data: dict[str, Any]) -> Decision:
    named = {"order_number": order.order_number} | data
    return Decision(event_type, order.channel, order.shop, order.order_number, named)
