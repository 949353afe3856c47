"""Deliveries: what subscribers are to be told, in which order, and how that went.

A delivery names a fact, or a stock position. Deliveries of one subscription about one object go one
after the other. Not here: what they say (`hub.store.delivery_bodies`), sending
(`streams.deliveries`).
"""

import os
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.domain import ids
from hub.domain.delivering import STOCK_CHANGED
from hub.domain.ids import Key
from hub.errors import HubError
from hub.store import outbox
from hub.store.db import Connection, Rows, queries
from hub.store.outbox import Position, ReaderMoved, Told, ToldBatch
from hub.store.sealing import Vault
from hub.store.subscriptions import Active

READER = "deliveries"
WINDOW = 500
"""So many of the oldest that wait of a subscription are looked at: what is behind them waits."""
REPLAY_MAX = 10_000
RESYNC_PAGE = 2_000
FORGET_MAX = 5_000
"""In one transaction: about 50 ms."""


class DeliveryUnknown(HubError):
    """There is no such delivery, or it is another channel's."""


class Delivery(Struct, frozen=True):
    """One thing to tell one subscriber. sku, place: of a stock position, else None. rule, its
    version and action: by whose map it is told, None for the fact itself."""

    delivery_id: Key
    subscription_id: Key
    type: str
    event_key: Key
    position: Position
    order_key: str
    sku: str | None
    place: str | None
    generation: int
    attempts: int
    next_at: datetime
    is_replay: bool
    created_at: datetime
    rule: str | None = None
    rule_version: int | None = None
    action: str | None = None


class Attempt(Struct, frozen=True):
    """How a try went. number: from 1; at: when it was sent; status: of HTTP, None if there was no
    answer."""

    number: int
    at: datetime
    status: int | None
    error: str | None
    duration_ms: float


async def spread(
    connection: Connection, batch: ToldBatch, subscribed: Sequence[Active]
) -> list[Delivery]:
    """Note for whom these facts are, and move the reader's place behind them: what waits now that
    did not, and what has changed of what did.

    Raises `ReaderMoved` if another process moved it; then nothing is noted.
    """
    if batch.until is None:
        return []
    facts = [
        (*_row(one, fact, is_replay=False)[:-1], one.is_shadow)
        for fact in batch.facts
        for one in subscribed
        if _takes(one, fact)
    ]
    stock = await _stock_rows(connection, batch, subscribed)
    *fact_columns, shadowed = _columns(facts, 8)
    *stock_columns, stock_shadowed = _columns(stock, 9)
    rows = await connection.fetch(
        queries("deliveries")["spread"],
        *(batch.reader, *batch.after, *batch.until),
        *(*fact_columns, *stock_columns, shadowed, stock_shadowed),
    )
    if not rows:
        raise ReaderMoved(batch.reader)
    return [_delivery(row) for row in rows if row["delivery_id"] is not None]


async def replay(
    connection: Connection, vault: Vault, to: Active, span: tuple[datetime, datetime]
) -> int:
    """Tell a subscriber again what was received in a time, marked as replayed; how many.

    At most REPLAY_MAX facts are looked at.
    """
    found = await connection.fetch(queries("deliveries")["replayed"], *span, REPLAY_MAX)
    places = [(row["xid"], row["outbox_id"]) for row in found]
    facts = await outbox.told_at(connection, vault, places)
    rows = [_row(to, fact, is_replay=True) for fact in facts if _takes(to, fact)]
    await _add(connection, rows)
    return len(rows)


async def waiting(connection: Connection, of: Collection[Key]) -> list[Delivery]:
    """The oldest that wait of these subscriptions, in their order."""
    rows = await connection.fetch(queries("deliveries")["waiting"], list(of), WINDOW)
    return [_delivery(row) for row in rows]


async def end(connection: Connection, delivery: Delivery, state: str, attempt: Attempt) -> None:
    """It is delivered, or will never be. A position that changed meanwhile waits on."""
    await _note(connection, delivery, attempt)
    await connection.execute(
        queries("deliveries")["end_delivery"],
        delivery.delivery_id,
        state,
        attempt.number,
        attempt.status,
        attempt.error,
        delivery.generation if state == "delivered" else None,
    )


async def end_delivered(connection: Connection, sent: Sequence[tuple[Delivery, Attempt]]) -> None:
    """Those that receivers took, all in one statement."""
    rows = [
        (
            delivery.delivery_id,
            attempt.number,
            attempt.at,
            attempt.status,
            attempt.error,
            attempt.duration_ms,
            delivery.generation,
        )
        for delivery, attempt in sent
    ]
    await connection.execute(queries("deliveries")["end_delivered"], *_columns(rows, 7))


async def try_again(
    connection: Connection, delivery: Delivery, attempt: Attempt, at: datetime
) -> None:
    """It waits for another attempt."""
    await _note(connection, delivery, attempt)
    await connection.execute(
        queries("deliveries")["try_again"],
        delivery.delivery_id,
        attempt.number,
        at,
        attempt.status,
        attempt.error,
    )


async def retry(connection: Connection, delivery_id: Key) -> bool:
    """Have one that ended sent again; False if it waits anyway, or is stock, which is newer."""
    row = await connection.fetchrow(queries("deliveries")["retry"], delivery_id)
    if row is not None and row["rule"] is not None:
        # Its run had failed with it.
        run = (row["event_key"], row["rule"], row["rule_version"])
        await connection.execute(queries("rule_runs")["follow"], *run)
    return row is not None


async def forget(connection: Connection, before: datetime, limit: int = FORGET_MAX) -> int:
    """Forget what ended before a time, at most `limit` of it; how many deliveries."""
    done = await connection.execute(queries("deliveries")["forget"], before, limit)
    return int(done.rpartition(" ")[2])


async def listed(
    connection: Connection,
    of: Collection[Key],
    state: str | None = None,
    before: object = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Deliveries of these subscriptions, the newest first; before: the seq of the last shown."""
    rows = await connection.fetch(queries("deliveries")["listed"], list(of), before, state, limit)
    return [dict(row) for row in rows]


async def owner(connection: Connection, delivery_id: Key) -> Key:
    """The subscription of a delivery. Raises `DeliveryUnknown`."""
    found = await connection.fetchval(queries("deliveries")["owner"], delivery_id)
    if found is None:
        raise DeliveryUnknown
    return found


async def one(connection: Connection, delivery_id: Key) -> tuple[Delivery, dict[str, Any]]:
    """A delivery, and its row as lists show it. Raises `DeliveryUnknown`."""
    row = await connection.fetchrow(queries("deliveries")["one"], delivery_id)
    if row is None:
        raise DeliveryUnknown
    return _delivery(row), dict(row)


async def resync(connection: Connection, to: Active) -> int:
    """Tell a subscriber the stock of every item and place once, as it is; how many."""
    done, after = 0, ("", "")
    while True:
        page = await connection.fetch(queries("deliveries")["all_positions"], *after, RESYNC_PAGE)
        rows = [
            (os.urandom(16), f"stock:{ids.text(ids.stock_id(*at))}", *at)
            for at in ((row["sku"], row["place"]) for row in page)
        ]
        columns = _columns(rows, 4)
        await connection.execute(queries("deliveries")["add_resync"], to.subscription_id, *columns)
        done += len(rows)
        if len(page) < RESYNC_PAGE:
            return done
        after = (page[-1]["sku"], page[-1]["place"])


async def attempts(connection: Connection, delivery_id: Key) -> list[dict[str, Any]]:
    """The attempts of a delivery, the first first."""
    rows = await connection.fetch(queries("deliveries")["attempts"], delivery_id)
    return [dict(row) for row in rows]


_COLUMNS = (
    "delivery_id",
    "subscription_id",
    "type",
    "event_key",
    "order_key",
    "sku",
    "place",
    "generation",
    "attempts",
    "next_at",
    "is_replay",
    "created_at",
    "rule",
    "rule_version",
    "action",
)
_Row = tuple[Key, Key, str, Key, int, int, str, bool]


def _delivery(row: Any) -> Delivery:
    known = {name: row[name] for name in _COLUMNS}
    return Delivery(**known, position=(row["xid"], row["outbox_id"]))


def _takes(one: Active, fact: Told) -> bool:
    is_decided = fact.source.startswith("/hub")
    # Of a person only that something happened could be told: that is for the topic of facts.
    is_told = "data" in fact.said
    return is_told and one.wanted.takes(fact.type, fact.channel, is_decided=is_decided)


def _row(to: Active, fact: Told, *, is_replay: bool) -> _Row:
    # Named after what it tells whom, so that telling it twice is one delivery.
    parts = (to.subscription_id, fact.event_key)
    again = b"replay" + datetime.now().astimezone().isoformat().encode() if is_replay else b""
    return (
        ids.derived("delivery", *parts, again),
        to.subscription_id,
        fact.type,
        fact.event_key,
        *fact.position,
        f"{fact.entity_kind}:{ids.text(fact.entity_key)}",
        is_replay,
    )


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return list(map(list, zip(*rows, strict=True))) if rows else [[] for _ in range(count)]


async def _add(connection: Connection, rows: list[_Row]) -> None:
    if rows:
        await connection.execute(queries("deliveries")["add"], *map(list, zip(*rows, strict=True)))


_BY_RULES = Rows(
    "deliveries",
    key=("delivery_id",),
    columns={
        "delivery_id": "uuid",
        "subscription_id": "uuid",
        "type": "text",
        "event_key": "uuid",
        "xid": "xid8",
        "outbox_id": "bigint",
        "order_key": "text",
        "rule": "text",
        "rule_version": "int",
        "action": "text",
    },
)


async def add_by_rules(
    connection: Connection, rows: Sequence[tuple[object, ...]], *, are_new: bool = False
) -> None:
    """Note what rules have to tell, in the columns of `add_by_rules`; what is noted stays.

    are_new: none is noted yet. Raises `UniqueViolationError` if one is.
    """
    if are_new:
        await _BY_RULES.insert(connection, rows)
    elif rows:
        columns = list(map(list, zip(*rows, strict=True)))
        await connection.execute(queries("deliveries")["add_by_rules"], *columns)


async def add_stock_by_rules(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """The same of stock positions: of each only the newest is told, so the last row counts."""
    newest = {(row[1], row[6]): row for row in rows}
    if newest:
        columns = list(map(list, zip(*newest.values(), strict=True)))
        await connection.execute(queries("deliveries")["add_stock_by_rules"], *columns)


async def of_rule(
    connection: Connection, event_key: Key, rule: str, version: int
) -> list[dict[str, Any]]:
    """What a version of a rule delivers about an event, in its order."""
    rows = await connection.fetch(queries("deliveries")["of_rule"], event_key, rule, version)
    return [dict(row) for row in rows]


async def _stock_rows(
    connection: Connection, batch: ToldBatch, subscribed: Sequence[Active]
) -> list[tuple[Any, ...]]:
    """Of each position that changed the last fact that changed it, for each who asked."""
    to = [one for one in subscribed if one.wanted.names(STOCK_CHANGED)]
    if not to or not batch.facts:
        return []
    by_xid = {fact.position[0]: fact for fact in batch.facts}
    changed = await connection.fetch(queries("deliveries")["changed_positions"], list(by_xid))
    newest = {(row["sku"], row["place"]): by_xid[row["changed_xid"]] for row in changed}
    return [
        (
            ids.derived("stock-delivery", one.subscription_id, fact.event_key, stock),
            one.subscription_id,
            fact.event_key,
            *fact.position,
            f"stock:{ids.text(stock)}",
            sku,
            place,
            one.is_shadow,
        )
        for (sku, place), fact in newest.items()
        for stock in [ids.stock_id(sku, place)]
        for one in to
    ]


async def _note(connection: Connection, delivery: Delivery, attempt: Attempt) -> None:
    await connection.execute(
        queries("deliveries")["note_attempt"],
        delivery.delivery_id,
        attempt.number,
        attempt.at,
        attempt.status,
        attempt.error,
        attempt.duration_ms,
    )
