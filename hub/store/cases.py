"""Cases: what needs a person. Here those that open and close by the state of something else."""

from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True)
class Matter:
    """Something that needs a person for as long as it is so."""

    case_id: Key
    kind: str
    object_kind: str
    object_key: str
    detail: dict[str, str | None]


async def follow(
    connection: Connection, was: dict[Key, Matter], now: dict[Key, Matter], at: datetime
) -> None:
    """Open a case for each matter that is new or has changed, close it when it is none any more."""
    opened = [
        (m.case_id, m.kind, m.object_kind, m.object_key, "open", m.detail, at, None)
        for m in now.values()
        if was.get(m.case_id) != m
    ]
    await _CASES.upsert(connection, opened)
    closed = [case_id for case_id in was if case_id not in now]
    if closed:
        await connection.execute(queries("cases")["close"], closed, at)


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


async def follow(
    connection: Connection,
    kind: str,
    object_kind: str,
    found: dict[str, dict[str, int] | None],
    work: Work,
) -> None:
    """Open a case for each object whose detail says why, close it for those without one."""
    by_id = {key: derived(kind, key.encode()) for key in found}
    opened = {key: detail for key, detail in found.items() if detail is not None}
    if opened:
        await connection.execute(
            queries("cases")["open"],
            [by_id[key] for key in opened],
            kind,
            object_kind,
            list(opened),
            list(opened.values()),
            work.received_at,
        )
    closed = [by_id[key] for key in found.keys() - opened.keys()]
    if closed:
        await connection.execute(queries("cases")["close_open"], closed, work.received_at)
