"""Cases: what needs a person. Here those that open and close by the state of something else."""

from collections.abc import Set
from datetime import datetime

from msgspec import Struct

from hub.domain import ids
from hub.domain.ids import Key, derived
from hub.domain.stock import Position
from hub.store.db import Connection, Rows, queries
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
    """Open a case for each position that fell below zero, close it when it no longer is."""
    is_oversold = {at for at, position in positions.items() if position.is_oversold}
    opened = [
        (
            derived("oversold", ids.stock_id(sku, place)),
            "oversold",
            "stock",
            f"{place}/{sku}",
            "open",
            {"sku": sku, "place": place},
            work.received_at,
            None,
        )
        for sku, place in is_oversold - was_oversold
    ]
    await _CASES.upsert(connection, opened)
    closed = [derived("oversold", ids.stock_id(*at)) for at in was_oversold - is_oversold]
    if closed:
        await connection.execute(queries("cases")["close"], closed, work.received_at)


class Case(Struct, frozen=True):
    """What somebody has to look at: about which object, with what is known of it."""

    kind: str
    object_kind: str
    object_key: str
    detail: dict[str, object]


async def follow(
    connection: Connection, wanted: dict[Key, Case], candidates: Set[Key], at: datetime
) -> None:
    """Open the wanted cases that are not open, close those candidates that are not wanted."""
    looked_at = sorted(candidates | wanted.keys())
    if not looked_at:
        return
    rows = await connection.fetch(queries("cases")["open"], looked_at)
    is_open = {row["case_id"] for row in rows}
    opened = [
        (case_id, case.kind, case.object_kind, case.object_key, "open", case.detail, at, None)
        for case_id, case in sorted(wanted.items())
        if case_id not in is_open
    ]
    await _CASES.upsert(connection, opened)
    if closed := sorted(is_open - wanted.keys()):
        await connection.execute(queries("cases")["close"], closed, at)
