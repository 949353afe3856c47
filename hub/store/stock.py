"""Stock in Postgres: positions by item and place, and their movements, append-only.

Positions are locked in the order of item and place. What a change or a count does is decided in
`hub.domain.stock`, one after the other, in the order of the log.
"""

from collections.abc import Sequence
from datetime import datetime

from hub.domain import money, stock
from hub.domain.envelope import APPLIED, Event, ignored
from hub.domain.stock import Change, Count, Position
from hub.domain.stock_data import changes
from hub.errors import Refused
from hub.store import allotments, batches, cases, overselling, units
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work

_KEY = ("sku", "place", "occurred_at", "movement_id")
_COLUMNS = {
    "movement_id": "uuid",
    "sku": "text",
    "place": "text",
    "kind": "text",
    "on_hand_milli": "bigint",
    "committed_milli": "bigint",
    "reserved_milli": "bigint",
    "occurred_at": "timestamptz",
    "event_key": "uuid",
    "order_id": "uuid",
}
_MOVEMENTS = Rows("stock_movements", _KEY, _COLUMNS)
# Hardly any movement has these, and each column is a price that all of them pay.
_ASIDE = Rows(
    "stock_movements",
    _KEY,
    _COLUMNS
    | {
        "unavailable_milli": "bigint",
        "incoming_milli": "bigint",
        "batch": "text",
        "best_before_at": "timestamptz",
    },
)
SUPERSEDED = ignored("a newer count of this item at this place is known")
COUNTS = ("stock.counted", "capacity.set")
Place = tuple[str, str]
"""(sku, place)"""


async def apply(connection: Connection, work: Work) -> None:
    """Apply the changes that orders caused and the stock events, in the order of the log."""
    _collect(work)
    if not work.stock and not work.allotted:
        return
    wanted = [what for _, what in sorted(work.stock, key=lambda pair: pair[0])]
    places = {(what.sku, what.place) for what in wanted} | work.allotted
    positions = await _lock(connection, sorted(places))
    was_oversold = {at for at, position in positions.items() if position.is_oversold}
    movements: list[Change] = []
    made: dict[Place, list[Change]] = {}
    for what in wanted:
        if isinstance(what, Change):
            done = stock.change(positions[what.sku, what.place], what)
        else:
            done = await _count(connection, work, positions, made, what)
        movements += done
        made.setdefault((what.sku, what.place), []).extend(done)
    if work.is_decision:
        held = ((m.sku, m.reserved_milli) for m in movements if m.reserved_milli > 0)
        await units.refuse_parts(connection, held)
        await _refuse_shortage(connection, positions, movements, work)
    await _write(connection, positions, movements)
    await batches.refresh(connection, positions, movements)
    await overselling.follow_oversold(connection, positions, was_oversold, work)
    await allotments.refresh(connection, positions, work)
    await _follow_inspected(connection, positions, movements, work)


async def _refuse_shortage(
    connection: Connection, positions: dict[Place, Position], movements: list[Change], work: Work
) -> None:
    """Refuse what would hold more than is there and not kept for others; demand is summed over all
    that is held at once."""
    channels = {taken.event.key: taken.event.channel for taken in work.taken}
    wanted = {(m.sku, m.place): channels[m.event_key] for m in movements if m.reserved_milli > 0}
    for at in sorted(wanted):
        short_milli = -positions[at].available_milli
        if positions[at].has_batches:
            short_milli += await batches.expired(connection, at, work.received_at)
        if positions[at].allotted_milli:
            short_milli += await allotments.held_for_others(connection, at, wanted[at])
        if short_milli > 0:
            sku, place = at
            short = money.decimal_text(short_milli, money.QUANTITY_DIGITS)
            raise Refused(
                "insufficient_stock",
                f"{sku} at {place}: {short} more than is available",
                sku=sku,
                place=place,
                short=short,
            )


def _collect(work: Work) -> None:
    for event in work.of("stock"):
        log_id = work.log_ids[event.key]
        if event.type in COUNTS:
            work.stock.append((log_id, _counted(event)))
            continue
        work.verdicts[event.key] = APPLIED
        work.stock += [(log_id, change) for change in changes(event, event.data)]


def _counted(event: Event) -> Count:
    sku, place, quantity_milli, measured_at = event.data
    sequence = event.sequence if event.sequence is not None else -1
    return Count(sku, place, quantity_milli, measured_at, event.key, sequence)


async def _lock(connection: Connection, places: Sequence[Place]) -> dict[Place, Position]:
    keys = [sku for sku, _ in places], [place for _, place in places]
    rows = await connection.fetch(queries("stock")["lock"], *keys)
    if len(rows) < len(places):
        await connection.execute(queries("stock")["ensure"], *keys)
        rows = await connection.fetch(queries("stock")["lock"], *keys)
    return {(row[0], row[1]): Position(*row) for row in rows}


async def _count(
    connection: Connection,
    work: Work,
    positions: dict[Place, Position],
    made: dict[Place, list[Change]],
    counted: Count,
) -> list[Change]:
    at = (counted.sku, counted.place)
    since = counted.measured_at
    changed = sum(
        c.on_hand_milli
        for c in made.get(at, ())
        if c.occurred_at > since and c.kind not in stock.ADJUSTING
    )
    position = positions[at]
    if position.version:
        changed += await _changed_since(connection, at, since)
    movement = stock.count(position, counted, changed)
    work.verdicts[counted.event_key] = APPLIED if movement is not None else SUPERSEDED
    return [movement] if movement is not None else []


async def _changed_since(connection: Connection, at: Place, since: datetime) -> int:
    changed = await connection.fetchval(
        queries("stock")["changed_since"], *at, since, list(stock.ADJUSTING)
    )
    return int(changed or 0)


async def _write(
    connection: Connection, positions: dict[Place, Position], movements: list[Change]
) -> None:
    moved = positions.values()
    await connection.execute(
        queries("stock")["move"],
        [p.sku for p in moved],
        [p.place for p in moved],
        [p.on_hand_milli for p in moved],
        [p.committed_milli for p in moved],
        [p.reserved_milli for p in moved],
        [p.version for p in moved],
    )
    counted = [(m.sku, m.place) for m in movements if m.kind == "counted"]
    if counted:
        newest = [positions[at] for at in dict.fromkeys(counted)]
        await connection.execute(
            queries("stock")["note_counts"],
            [p.sku for p in newest],
            [p.place for p in newest],
            [p.counted_at for p in newest],
            [p.counted_by for p in newest],
            [p.counted_sequence for p in newest],
        )
    plain = [m for m in movements if not (m.unavailable_milli or m.incoming_milli or m.batch)]
    await _MOVEMENTS.insert(connection, [_row(m) for m in plain])
    if len(plain) == len(movements):
        return
    aside = [m for m in movements if m.unavailable_milli or m.incoming_milli or m.batch]
    await _ASIDE.insert(connection, [(*_row(m), *_aside(m)) for m in aside])
    changed = [positions[at] for at in dict.fromkeys((m.sku, m.place) for m in aside)]
    await connection.execute(
        queries("stock")["set_aside"],
        [p.sku for p in changed],
        [p.place for p in changed],
        [p.unavailable_milli for p in changed],
        [p.incoming_milli for p in changed],
    )


def _row(m: Change) -> tuple[object, ...]:
    return (
        m.movement_id,
        m.sku,
        m.place,
        m.kind,
        m.on_hand_milli,
        m.committed_milli,
        m.reserved_milli,
        m.occurred_at,
        m.event_key,
        m.order_id,
    )


def _aside(m: Change) -> tuple[object, ...]:
    return (m.unavailable_milli, m.incoming_milli, m.batch, m.best_before_at)


async def _follow_inspected(
    connection: Connection, positions: dict[Place, Position], movements: list[Change], work: Work
) -> None:
    """A case where more was inspected or freed than lay aside."""
    touched = {(m.sku, m.place) for m in movements if m.unavailable_milli}
    if not touched:
        return
    found: dict[str, dict[str, object] | None] = {}
    for at in sorted(touched):
        more = -positions[at].unavailable_milli
        known: dict[str, object] = {
            "sku": at[0],
            "place": at[1],
            "more": money.decimal_text(more, money.QUANTITY_DIGITS),
        }
        found[f"{at[1]}/{at[0]}"] = known if more > 0 else None
    await cases.follow_objects(connection, "inspected_more", "stock", found, work.received_at)
