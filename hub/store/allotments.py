"""Allotments in Postgres: targets, what channels confirm, live sessions, and what is kept of a
stock item for whom.

`apply` notes what was said; `refresh` keeps it and tells what is left, once the positions are
locked (`hub.store.stock`). How much is left is decided in `hub.domain.allotments`.
"""

from collections.abc import Sequence
from typing import Any

from hub.domain import ids, money
from hub.domain.allotments import held_milli
from hub.domain.decisions import Decision
from hub.domain.envelope import APPLIED, Event, ignored
from hub.domain.ids import Key
from hub.domain.stock import ADJUSTING, Position
from hub.errors import Refused
from hub.store import cases, commands, log
from hub.store.db import Connection, queries
from hub.store.records import Work
from hub.store.sealing import Vault

CASE = "allotted_beyond_stock"
OLDER = ignored("a newer word about this allotment is known")
Place = tuple[str, str]
"""(sku, place)"""


async def set_all(connection: Connection, vault: Vault, wanted: Sequence[dict[str, Any]]) -> None:
    """Set these allotments anew, all of them or none; each as `allotment.set` carries it.

    Refused: insufficient_stock, where all allotments of an item are more than is available.
    """
    decisions = [Decision("allotment.set", "", "", one["sku"], one) for one in wanted]
    await commands.run(connection, vault, decisions)


async def apply(connection: Connection, work: Work) -> None:
    """Keep sessions, and note the stock items that allotments and sessions are about: their
    positions are locked before their allotments are written."""
    said, sessions = work.of("allotment"), work.of("session")
    if not said and not sessions:
        return
    # A session's end and an allotment for it must see each other.
    of_sessions = {e.entity_key for e in sessions} | {
        ids.session_id(e.data.at.channel, e.data.at.session) for e in said if e.data.at.session
    }
    await log.claim(connection, of_sessions)
    work.allotted.update((event.data.at.sku, event.data.at.place) for event in said)
    for event in sessions:
        work.verdicts[event.key] = APPLIED
        is_end = event.type == "session.closed"
        times = (None, event.occurred_at) if is_end else (event.occurred_at, None)
        named = (event.entity_key, event.channel, event.subject)
        await connection.execute(queries("allotments")["note_session"], *named, *times)
        rows = await connection.fetch(
            queries("allotments")["of_session"], event.channel, event.subject
        )
        work.allotted.update((row["sku"], row["place"]) for row in rows)


async def _keep_said(connection: Connection, work: Work) -> None:
    for event in work.of("allotment"):
        name = "set" if event.type == "allotment.set" else "confirm"
        is_new = await connection.fetchval(queries("allotments")[name], *_row(event))
        work.verdicts[event.key] = APPLIED if is_new else OLDER


def _row(event: Event) -> tuple[object, ...]:
    at = event.data.at
    named = (at.key, at.channel, at.session, at.sku, at.place, event.occurred_at, event.key)
    if event.type == "allotment.set":
        return (*named, event.data.target_milli, event.data.buffer_milli)
    return (*named, event.data.quantity_milli)


async def held_for_others(connection: Connection, at: Place, channel: str) -> int:
    """What is kept of a stock item for other channels, in thousandths."""
    held = await connection.fetchval(queries("allotments")["held_for_others"], *at, channel)
    return int(held or 0)


async def refresh(connection: Connection, positions: dict[Place, Position], work: Work) -> None:
    """Keep what was said of allotments, and tell what is left of those of these positions, which
    are locked and written.

    A case is open while more is kept than is available: somebody sells what is not there.
    """
    touched = {at for at, position in positions.items() if position.allotted_milli is not None}
    touched |= work.allotted
    if not touched:
        return
    await _keep_said(connection, work)
    listed = sorted(touched)
    keys = [sku for sku, _ in listed], [place for _, place in listed]
    rows = await connection.fetch(queries("allotments")["drawn"], *keys, list(ADJUSTING))
    kept: dict[Place, dict[Key, int]] = {at: {} for at in listed}
    for row in rows:
        left = held_milli(row["target_milli"], row["buffer_milli"], row["drawn_milli"])
        held = 0 if row["is_over"] else left
        kept[row["sku"], row["place"]][row["allotment_key"]] = held
    beyond: dict[str, dict[str, object] | None] = {}
    for at in listed:
        allotted = sum(kept[at].values())
        position = positions[at]
        is_beyond = position.counted_at is not None and 0 < allotted > position.available_milli
        if work.is_decision and at in work.allotted and allotted > position.available_milli:
            _refuse(position, allotted)
        detail = _detail(position, allotted) if is_beyond else None
        beyond[f"{at[1]}/{at[0]}"] = detail
        keep = [*kept[at]], [*kept[at].values()]
        await connection.execute(queries("allotments")["keep"], *keep, is_beyond)
        await connection.execute(queries("allotments")["note_position"], *at, allotted)
    await cases.follow_objects(connection, CASE, "stock", beyond, work.received_at)


def _refuse(position: Position, allotted_milli: int) -> None:
    if not allotted_milli:
        return
    short = money.decimal_text(allotted_milli - position.available_milli, money.QUANTITY_DIGITS)
    raise Refused(
        "insufficient_stock",
        f"{position.sku} at {position.place}: {short} more than is available",
        sku=position.sku,
        place=position.place,
        short=short,
    )


def _detail(position: Position, allotted_milli: int) -> dict[str, object]:
    return {
        "sku": position.sku,
        "place": position.place,
        "allotted": money.decimal_text(allotted_milli, money.QUANTITY_DIGITS),
        "available": money.decimal_text(position.available_milli, money.QUANTITY_DIGITS),
    }
