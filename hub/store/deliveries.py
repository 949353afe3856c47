"""Deliveries: what subscribers are to be told, in which order, and how that went.

A delivery names a fact, or a stock position; its body is made when it is sent, so what was erased
meanwhile is not told, and stock is told as it is then. Deliveries of one subscription about one
object go one after the other. Not here: sending (`streams.deliveries`).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.domain import ids
from hub.domain.delivering import STOCK_CHANGED
from hub.domain.ids import Key
from hub.errors import HubError
from hub.store import outbox, rule_book, rules
from hub.store.db import Connection, queries
from hub.store.outbox import Batch, Fact, Position
from hub.store.rule_book import About, RuleBook
from hub.store.sealing import Vault
from hub.store.subscriptions import Active

READER = "deliveries"
WINDOW = 500
"""So many of the oldest that wait of a subscription are looked at: what is behind them waits."""
REPLAY_MAX = 10_000


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
    """How a try went. number: from 1; status: of HTTP, None if there was no answer."""

    number: int
    status: int | None
    error: str | None
    duration_ms: float


async def spread(connection: Connection, batch: Batch, subscribed: Sequence[Active]) -> int:
    """Note for whom these facts are, in the caller's transaction; how many deliveries wait more."""
    rows = [
        _row(one, fact, is_replay=False)
        for fact in batch.facts
        for one in subscribed
        if _takes(one, fact)
    ]
    await _add(connection, rows)
    for_stock = [one for one in subscribed if one.wanted.names(STOCK_CHANGED)]
    if for_stock:
        await _add_stock(connection, batch, for_stock)
    return len(rows)


async def replay(
    connection: Connection, vault: Vault, to: Active, span: tuple[datetime, datetime]
) -> int:
    """Tell a subscriber again what was received in a time, marked as replayed; how many.

    At most REPLAY_MAX facts are looked at.
    """
    found = await connection.fetch(queries("deliveries")["replayed"], *span, REPLAY_MAX)
    places = [(row["xid"], row["outbox_id"]) for row in found]
    facts = await outbox.at(connection, vault, places)
    rows = [_row(to, fact, is_replay=True) for fact in facts if _takes(to, fact)]
    await _add(connection, rows)
    return len(rows)


async def waiting(connection: Connection, of: Collection[Key]) -> list[Delivery]:
    """The oldest that wait of these subscriptions, in their order."""
    rows = await connection.fetch(queries("deliveries")["waiting"], list(of), WINDOW)
    return [
        Delivery(**{name: row[name] for name in _COLUMNS}, position=(row["xid"], row["outbox_id"]))
        for row in rows
    ]


async def body_of(
    connection: Connection, vault: Vault, delivery: Delivery, book: RuleBook
) -> dict[str, Any] | None:
    """What to say, as a CloudEvent; None if nothing is left to say (the person was erased)."""
    if delivery.rule is not None:
        return await _rule_body(connection, vault, delivery, book)
    found = await outbox.at(connection, vault, [delivery.position])
    fact = found[0] if found else None
    if delivery.sku is not None and delivery.place is not None:
        return await _stock_body(connection, delivery, fact)
    if fact is None or fact.data is None:
        return None
    said = {
        "specversion": "1.0",
        "id": fact.event_id,
        "source": fact.source,
        "type": fact.type,
        "time": fact.occurred_at.isoformat(),
        "subject": fact.subject,
        "datacontenttype": "application/json",
        "data": fact.data,
    }
    more: dict[str, Any] = {"traceparent": fact.traceparent} if fact.traceparent else {}
    return said | more | ({"replayed": True} if delivery.is_replay else {})


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


def _takes(one: Active, fact: Fact) -> bool:
    is_decided = fact.source.startswith("/hub")
    return one.wanted.takes(fact.type, fact.channel, is_decided=is_decided)


def _row(to: Active, fact: Fact, *, is_replay: bool) -> _Row:
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


async def _add(connection: Connection, rows: list[_Row]) -> None:
    if rows:
        await connection.execute(queries("deliveries")["add"], *map(list, zip(*rows, strict=True)))


async def add_by_rules(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """Note what rules have to tell, in the columns of `add_by_rules`; what is noted stays."""
    if rows:
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


async def _add_stock(connection: Connection, batch: Batch, subscribed: Sequence[Active]) -> None:
    by_xid = {fact.position[0]: fact for fact in batch.facts}
    changed = await connection.fetch(queries("deliveries")["changed_positions"], list(by_xid))
    rows = [
        (
            ids.derived("stock-delivery", one.subscription_id, fact.event_key, stock),
            one.subscription_id,
            fact.event_key,
            *fact.position,
            f"stock:{ids.text(stock)}",
            row["sku"],
            row["place"],
        )
        for row in changed
        for fact, stock in [(by_xid[row["changed_xid"]], ids.stock_id(row["sku"], row["place"]))]
        for one in subscribed
    ]
    if rows:
        columns = list(map(list, zip(*rows, strict=True)))
        await connection.execute(queries("deliveries")["add_stock"], *columns)


async def _stock_body(
    connection: Connection, delivery: Delivery, fact: Fact | None
) -> dict[str, Any] | None:
    row = await connection.fetchrow(queries("deliveries")["position"], delivery.sku, delivery.place)
    if row is None:
        return None
    said = {
        "specversion": "1.0",
        "id": f"{ids.text(delivery.delivery_id)}-{delivery.generation}",
        "source": "/hub",
        "type": STOCK_CHANGED,
        "subject": delivery.sku,
        "datacontenttype": "application/json",
        "data": rules.stock_data(delivery.sku or "", delivery.place or "", row),
    }
    if fact is None:
        return said
    trace = {"traceparent": fact.traceparent} if fact.traceparent else {}
    return said | {"time": fact.occurred_at.isoformat()} | trace


async def _rule_body(
    connection: Connection, vault: Vault, delivery: Delivery, book: RuleBook
) -> dict[str, Any] | None:
    """What a rule has to say, made from the fact and the version that ran."""
    assert delivery.rule is not None
    assert delivery.action is not None
    compiled = await book.version(connection, delivery.rule, delivery.rule_version or 0)
    about = About(delivery.position, delivery.sku, delivery.place)
    found = await rule_book.made(connection, vault, compiled, about)
    if found is None:
        return None
    fact, run = found
    effect = rule_book.effect_of(run, delivery.action)
    if effect is None:
        return None  # a position that changed meanwhile, about which the rule has nothing to say
    said = rule_book.cloud_event(delivery.rule, run.version, fact, effect)
    if delivery.sku is not None:
        said["id"] = f"{ids.text(delivery.delivery_id)}-{delivery.generation}"
    return said


async def _note(connection: Connection, delivery: Delivery, attempt: Attempt) -> None:
    await connection.execute(
        queries("deliveries")["note_attempt"],
        delivery.delivery_id,
        attempt.number,
        attempt.status,
        attempt.error,
        attempt.duration_ms,
    )
