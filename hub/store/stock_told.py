"""What others are told of stock positions: always as they are now. Not here: who is told."""

from collections.abc import Sequence
from typing import Any

from hub.domain import money
from hub.store.db import Connection, queries


async def positions(
    connection: Connection, skus: Sequence[str], places: Sequence[str]
) -> dict[tuple[str, str], Any]:
    """Those of these positions that there are, by (item, place): rows for `stock_data`."""
    rows = await connection.fetch(queries("deliveries")["positions"], list(skus), list(places))
    return {(row["sku"], row["place"]): row for row in rows}


def stock_data(row: Any) -> dict[str, str]:
    """What is told of a position; row: sku, place, on_hand_milli, taken_milli and version. What is
    past its best-before counts as taken."""
    return {
        "sku": row["sku"],
        "place": row["place"],
        "on_hand": _quantity(row["on_hand_milli"]),
        "available": _quantity(row["on_hand_milli"] - int(row["taken_milli"])),
        "version": str(row["version"]),
    }


def _quantity(milli: int) -> str:
    return money.decimal_text(milli, money.QUANTITY_DIGITS).rstrip("0").rstrip(".")
