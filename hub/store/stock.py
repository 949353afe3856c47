"""Stock in Postgres: positions by item and place, and their movements, append-only.

Positions are locked in the order of item and place. What a change or a count does is decided in
`hub.domain.stock`, one after the other, in the order of the log.
"""

from datetime import datetime

from hub.domain import ids, money, stock
from hub.domain.envelope import APPLIED, Event, ignored
from hub.domain.ids import derived
from hub.domain.stock import Change, Count, Deltas, Position
from hub.errors import Refused
from hub.store import cases
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work

_MOVEMENTS = Rows(
    "stock_movements",
    key=("sku", "place", "occurred_at", "movement_id"),
    columns={
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
    },
)
SUPERSEDED = ignored("a newer count of this item at this place is known")
Place = tuple[str, str]
"""(sku, place)"""


async def apply(connection: Connection, work: Work) -> None:
    """Apply the changes that orders caused and the stock events, in the order of the log."""
    _collect(work)
    if not work.stock:
        return
    wanted = [what for _, what in sorted(work.stock, key=lambda pair: pair[0])]
    positions = await _lock(connection, wanted)
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
        _refuse_shortage(positions, movements)
    await _write(connection, positions, movements)
    await cases.follow_oversold(connection, positions, was_oversold, work)


def _refuse_shortage(positions: dict[Place, Position], movements: list[Change]) -> None:
    """Refuse what would hold more than is there; demand is summed over all that is held at once."""
    for at in sorted({(m.sku, m.place) for m in movements if m.reserved_milli > 0}):
        short_milli = -positions[at].available_milli
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
        if event.type == "stock.counted":
            work.stock.append((log_id, _counted(event)))
            continue
        work.verdicts[event.key] = APPLIED
        work.stock += [(log_id, change) for change in _changes(event, event.data)]


def _counted(event: Event) -> Count:
    sku, place, quantity_milli, measured_at = event.data
    return Count(sku, place, quantity_milli, measured_at, event.key)


def _changes(event: Event, deltas: Deltas) -> list[Change]:
    return [
        Change(
            sku,
            place,
            kind,
            milli,
            0,
            event.occurred_at,
            event.key,
            derived("movement", event.key, ids.stock_id(sku, place)),
        )
        for sku, place, kind, milli in deltas.changes
    ]


async def _lock(connection: Connection, wanted: list[Change | Count]) -> dict[Place, Position]:
    places = sorted({(what.sku, what.place) for what in wanted})
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
        )
    await _MOVEMENTS.insert(
        connection,
        [
            (
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
            for m in movements
        ],
    )
