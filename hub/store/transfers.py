"""Goods on their way between places: what set out, what arrived, what was lost, by transfer.

All of it sums, so its steps may come in any order. What arrived is compared with what set out: a
difference is a case until the rest arrives or is told to be lost. What a step does to stock goes on
to `hub.store.stock`.
"""

from typing import Any

from hub.domain import money
from hub.domain.envelope import APPLIED, Event
from hub.domain.ids import Key, derived
from hub.domain.stock_data import Transfer, changes
from hub.store.cases import Case, follow
from hub.store.db import Connection, queries
from hub.store.records import Work

CASE = "transfer_differs"


async def apply(connection: Connection, work: Work) -> None:
    """Sum the new steps up, and hand what they do to stock on."""
    new = work.of("transfer")
    if not new:
        return
    for event in new:
        work.verdicts[event.key] = APPLIED
        log_id = work.log_ids[event.key]
        work.stock += [(log_id, change) for change in changes(event, event.data.deltas)]
    sums: dict[Key, list[Event]] = {}
    for event in new:
        sums.setdefault(event.entity_key, []).append(event)
    listed = [_summed(sums[key]) for key in sorted(sums)]
    rows = await connection.fetch(
        queries("stock")["sum_transfers"],
        sorted(sums),
        [t.transfer_id for t in listed],
        [t.sku for t in listed],
        [t.to_place for t in listed],
        [t.dispatched_milli for t in listed],
        [t.arrived_milli for t in listed],
        [t.lost_milli for t in listed],
    )
    wanted: dict[Key, Case] = {}
    for row in rows:
        if (case := _difference(_read(row))) is not None:
            wanted[derived(CASE, row["transfer_key"])] = case
    candidates = {derived(CASE, row["transfer_key"]) for row in rows}
    await follow(connection, wanted, candidates, work.received_at)


def _summed(events: list[Event]) -> Transfer:
    first: Transfer = events[0].data
    return Transfer(
        first.transfer_id,
        first.sku,
        first.to_place,
        sum(event.data.dispatched_milli for event in events),
        sum(event.data.arrived_milli for event in events),
        sum(event.data.lost_milli for event in events),
        (),
    )


def _read(row: Any) -> Transfer:
    return Transfer(
        row["transfer_id"],
        row["sku"],
        row["to_place"],
        row["dispatched_milli"],
        row["arrived_milli"],
        row["lost_milli"],
        (),
    )


def _difference(transfer: Transfer) -> Case | None:
    """A case where something arrived, and not what set out."""
    ended_milli = transfer.arrived_milli + transfer.lost_milli
    missing_milli = transfer.dispatched_milli - ended_milli
    if not ended_milli or not missing_milli:
        return None
    named = f"{transfer.transfer_id}/{transfer.to_place}/{transfer.sku}"
    detail: dict[str, object] = {
        "transfer_id": transfer.transfer_id,
        "sku": transfer.sku,
        "place": transfer.to_place,
        "dispatched": _text(transfer.dispatched_milli),
        "arrived": _text(transfer.arrived_milli),
        "lost": _text(transfer.lost_milli),
        "missing": _text(missing_milli),
    }
    return Case(CASE, "transfer", named, detail)


def _text(milli: int) -> str:
    return money.decimal_text(milli, money.QUANTITY_DIGITS)
