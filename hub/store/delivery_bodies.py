"""What deliveries say, made when they are sent.

So an erasure reaches what still waits, and stock is told as it is then. Which deliveries there are:
`hub.store.deliveries`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain import ids, money
from hub.domain.delivering import STOCK_CHANGED
from hub.domain.ids import Key
from hub.store import outbox
from hub.store.db import Connection, queries
from hub.store.deliveries import Delivery
from hub.store.outbox import Position, Told
from hub.store.sealing import Vault

Said = dict[str, Any]
"""A CloudEvent, ready for JSON."""


async def bodies_of(
    connection: Connection,
    vault: Vault,
    wanted: Sequence[Delivery],
    fresh: Mapping[Position, Told],
) -> dict[Key, Said | None]:
    """What each delivery says, as a CloudEvent; None if nothing is left to say (the person was
    erased). fresh: facts that were read a moment ago."""
    missing = sorted({one.position for one in wanted if one.position not in fresh})
    read = await outbox.told_at(connection, vault, missing) if missing else []
    facts = {fact.position: fact for fact in read}
    positions = await _positions(connection, [one for one in wanted if one.sku is not None])
    found: dict[Key, Said | None] = {}
    for one in wanted:
        fact = fresh.get(one.position) or facts.get(one.position)
        if one.sku is not None and one.place is not None:
            found[one.delivery_id] = _stock(one, positions.get((one.sku, one.place)), fact)
        else:
            found[one.delivery_id] = _told(one, fact)
    return found


def stock_data(row: Any) -> dict[str, str]:
    """What is told of a stock position; row: of the query `positions`."""
    return {
        "sku": row["sku"],
        "place": row["place"],
        "on_hand": _quantity(row["on_hand_milli"]),
        "available": _quantity(row["on_hand_milli"] - int(row["taken_milli"])),
        "version": str(row["version"]),
    }


async def _positions(
    connection: Connection, wanted: Sequence[Delivery]
) -> dict[tuple[str, str], Any]:
    if not wanted:
        return {}
    skus, places = [one.sku for one in wanted], [one.place for one in wanted]
    rows = await connection.fetch(queries("deliveries")["positions"], skus, places)
    return {(row["sku"], row["place"]): row for row in rows}


def _told(delivery: Delivery, fact: Told | None) -> Said | None:
    if fact is None or "data" not in fact.said:
        return None
    return fact.said | {"replayed": True} if delivery.is_replay else fact.said


def _stock(delivery: Delivery, row: Any, fact: Told | None) -> Said | None:
    if row is None:
        return None
    said = {
        "specversion": "1.0",
        "id": f"{ids.text(delivery.delivery_id)}-{delivery.generation}",
        "source": "/hub",
        "type": STOCK_CHANGED,
        "subject": delivery.sku,
        "datacontenttype": "application/json",
        "data": stock_data(row),
    }
    if fact is None:
        return said
    kept = {name: fact.said[name] for name in ("time", "traceparent") if name in fact.said}
    return said | kept


def _quantity(milli: int) -> str:
    return money.decimal_text(milli, money.QUANTITY_DIGITS).rstrip("0").rstrip(".")
