"""What the hub holds of a channel, as plain rows. Not here: comparing it (`hub_assets.recon`).

No personal field is among the columns: an account's name is the channel's own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hub.store import db
from hub.store.db import queries

Noun = Literal["orders", "stock", "members", "points"]
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Listed:
    """The columns of a noun. key: those that name a row; the others are values."""

    tables: tuple[str, ...]
    key: tuple[str, ...]
    values: tuple[str, ...]


NOUNS: dict[Noun, Listed] = {
    "orders": Listed(
        ("orders",),
        ("shop", "order_number"),
        (
            "currency", "status", "payment_status", "fulfilment_status", "return_status",
            "gross_minor", "discount_minor", "total_minor", "paid_minor", "refunded_minor",
        ),
    ),
    "stock": Listed(
        ("stock_positions",),
        ("sku", "place"),
        ("on_hand_milli", "available_milli", "allotted_milli"),
    ),
    "members": Listed(("profiles",), ("account",), ()),
    "points": Listed(
        ("points_accounts", "profiles"),
        ("account",),
        (
            "pending_points", "held_points", "open_points", "debt_points", "spent_points",
            "expired_points", "balance_points",
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Window:
    """Orders placed from `begin` (included) to `end` (excluded)."""

    begin: datetime
    end: datetime


async def rows(
    dsn: str, noun: Noun, channel: str, shop: str | None = None, window: Window | None = None
) -> list[dict[str, Any]]:
    """All rows of a channel; shop and window are for orders only. dsn: of any role that reads
    `hub`."""
    bounds = (window.begin, window.end) if window else (None, None)
    connection = await db.connect(dsn, "hub", TIMEOUT_S)
    try:
        arguments = (channel, *bounds, shop) if noun == "orders" else (channel,)
        return [dict(row) for row in await connection.fetch(queries("listing")[noun], *arguments)]
    finally:
        await connection.close()
