"""Batches of fresh goods in Postgres: told anew whenever their position changes.

How much is left of each is decided in `hub.domain.batches`. Positions of which no batch was ever
named pay nothing for this but a column.
"""

from collections.abc import Sequence
from datetime import datetime

from hub.domain.batches import Batch, Named, cuts, tell
from hub.domain.stock import ADJUSTING, Change, Position
from hub.store.db import Connection, Rows, queries

_BATCHES = Rows(
    "stock_batches",
    key=("sku", "place", "batch"),
    columns={
        "sku": "text",
        "place": "text",
        "batch": "text",
        "best_before_at": "timestamptz",
        "left_milli": "bigint",
    },
)
At = tuple[str, str]
"""(sku, place)"""


async def refresh(
    connection: Connection, positions: dict[At, Position], movements: Sequence[Change]
) -> None:
    """Tell what is left of the batches of positions that changed; they are locked and written."""
    named = {(m.sku, m.place) for m in movements if m.batch is not None}
    moved = {(m.sku, m.place) for m in movements if m.on_hand_milli}
    for at in sorted(moved):
        if positions[at].has_batches or at in named:
            left = await _tell(connection, at, positions[at].on_hand_milli)
            rows = [(*at, one.batch, one.best_before_at, one.left_milli) for one in left]
            await _BATCHES.upsert(connection, rows)
            await connection.execute(queries("batches")["note_position"], *at)


async def _tell(connection: Connection, at: At, on_hand_milli: int) -> list[Batch]:
    told = await connection.fetch(queries("batches")["named"], *at, list(ADJUSTING))
    named = [Named(*row) for row in told]
    spans = await connection.fetch(queries("batches")["unnamed"], *at, cuts(named), list(ADJUSTING))
    return tell(named, {row[0]: (row[1], row[2]) for row in spans}, on_hand_milli)


async def expired(connection: Connection, at: At, now: datetime) -> int:
    """How much of a position is past its best-before, in thousandths."""
    return int(await connection.fetchval(queries("batches")["expired"], *at, now) or 0)
