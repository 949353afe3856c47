"""Cases: what needs a person. Here those that open and close by the state of something else."""

from hub.domain import ids
from hub.domain.ids import derived
from hub.domain.stock import Position
from hub.store.db import Connection, Rows
from hub.store.records import Work

_CASES = Rows(
    "cases",
    key=("case_id",),
    columns={
        "case_id": "uuid",
        "kind": "text",
        "object_kind": "text",
        "object_key": "text",
        "state": "text",
        "detail": "jsonb",
        "opened_at": "timestamptz",
        "closed_at": "timestamptz",
    },
)


async def follow_oversold(
    connection: Connection,
    positions: dict[tuple[str, str], Position],
    was_oversold: set[tuple[str, str]],
    work: Work,
) -> None:
    """Open a case for each position that is below zero, close it when it no longer is."""
    rows = []
    for at, position in positions.items():
        if not position.is_oversold and at not in was_oversold:
            continue
        rows.append(
            (
                derived("oversold", ids.stock_id(*at)),
                "oversold",
                "stock",
                f"{position.place}/{position.sku}",
                "open" if position.is_oversold else "closed",
                {"sku": position.sku, "place": position.place},
                work.received_at,
                None if position.is_oversold else work.received_at,
            )
        )
    await _CASES.upsert(connection, rows)
