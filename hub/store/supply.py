"""What is known beside orders of what they take of stock, and the orders to be told again where it
changes: components of bundles, places of shops, items that nobody has described.

A write that changes it lets no write of orders run beside it (`hub.store.log.claim`), so it finds
all orders it concerns, and all later ones find it. What it means: `hub.domain.supply`.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from hub.domain import configs, supply
from hub.domain.bundles import Components, taken_milli
from hub.domain.documents import Version
from hub.domain.envelope import Event
from hub.domain.ids import Key
from hub.domain.order_data import OrderName
from hub.domain.supply import NOTHING, Supply, Wish
from hub.errors import Refused
from hub.store import log
from hub.store.db import Connection, queries
from hub.store.matching_policies import is_policy
from hub.store.records import Work

KINDS = ("shop_places", "unknown_items")
Items = Sequence[tuple[str, int]]
"""(sku, thousandths)"""


class Change(NamedTuple):
    """What is known now and was before this write, and which event of it changed that."""

    was: Supply
    now: Supply
    cause: Event | None


def is_change(event: Event) -> bool:
    """Whether an event says something of what orders take of stock."""
    if event.entity_kind == "item":
        return event.data.components is not None
    return event.type == "config.published" and event.data.kind in KINDS


async def claim(connection: Connection, keys: Iterable[Key], events: Sequence[Event]) -> None:
    """Hold back other writes of these entities; and all writes, where these events change what
    orders take, or who is a member. An item's description does where lines wait for it."""
    is_first = any(is_change(event) or is_policy(event) for event in events)
    if is_first or all(event.type != "item.upserted" for event in events):
        await log.claim(connection, keys, is_alone=is_first)
        return
    # Asked again once it holds its locks: somebody may just have decided that lines wait.
    is_first = bool(await connection.fetchval(queries("supply")["items_are_awaited"]))
    await log.claim(connection, keys, is_alone=is_first)
    if not is_first and await connection.fetchval(queries("supply")["items_are_awaited"]):
        await log.claim(connection, (), is_alone=True)


async def affected(connection: Connection, work: Work) -> list[OrderName]:
    """The orders in the log that this write's word about items and places may change."""
    said = [event for event in work.of("item", "config") if is_change(event)]
    if not said and not (work.has_supply and work.items_new):
        return []
    work.has_supply = True
    rows = await connection.fetch(queries("supply")["orders_that_wait"], sorted(work.items_new))
    rows += await _of_bundles(connection, [e for e in said if e.type == "item.upserted"])
    for event in said:
        if event.type == "config.published":
            since = event.data.valid_from or event.occurred_at
            channel, _, shop = event.data.name.partition("/")
            whose = (None if channel == supply.DEFAULT else channel, shop or None)
            rows += await connection.fetch(queries("supply")["orders_since"], since, *whose)
    return [OrderName(*row) for row in rows]


async def _of_bundles(connection: Connection, said: Sequence[Event]) -> list[Any]:
    """Orders since the first word that differs from the one before it, by item."""
    skus = sorted({event.subject for event in said})
    new = {event.key for event in said}
    changed: list[tuple[str, datetime, bool]] = []
    before: dict[str, Components] = {}
    for row in await connection.fetch(queries("supply")["components"], skus):
        known, now = before.get(row["sku"], ()), _components(row)
        before[row["sku"]] = now
        if row["event_key"] in new and known != now:
            changed.append((row["sku"], row["said_at"], not known))
    if not changed:
        return []
    arrays = map(list, zip(*changed, strict=True))
    return list(await connection.fetch(queries("supply")["orders_of_bundles"], *arrays))


async def load(connection: Connection, work: Work, skus: Collection[str]) -> Change:
    """What is known of these items and of all shops, before this write and with it."""
    if not work.has_supply:
        return Change(NOTHING, NOTHING, None)
    said = [event for event in work.of("item", "config") if is_change(event)]
    listed = sorted(skus)
    components = await connection.fetch(queries("supply")["components"], listed)
    published = await connection.fetch(queries("supply")["configs"], KINDS)
    unknown: frozenset[str] = frozenset()
    if any(row["kind"] == "unknown_items" for row in published):
        unknown = await _unknown(connection, listed)
    now = _read(components, published, unknown)
    causes = said + [event for event in work.of("item") if event.subject in work.items_new]
    if not causes:
        return Change(now, now, None)
    new = {event.key for event in said}
    was = _read(
        [row for row in components if row["event_key"] not in new],
        [row for row in published if row["event_key"] not in new],
        unknown | work.items_new.intersection(listed),
    )
    return Change(was, now, max(causes, key=lambda event: work.log_ids[event.key]))


async def _unknown(connection: Connection, skus: Sequence[str]) -> frozenset[str]:
    """The items that nobody has described."""
    rows = await connection.fetch(queries("supply")["described"], skus)
    return frozenset(skus) - {row["sku"] for row in rows}


def _read(components: Sequence[Any], published: Sequence[Any], unknown: frozenset[str]) -> Supply:
    bundles: dict[str, list[Version[Components]]] = {}
    for row in components:
        known = bundles.setdefault(row["sku"], [])
        known.append(Version(len(known) + 1, row["said_at"], _components(row)))
    documents: dict[str, dict[str, list[Version[Any]]]] = {kind: {} for kind in KINDS}
    for row in published:
        versions = documents[row["kind"]].setdefault(row["name"], [])
        document = configs.read(row["kind"], row["document"])
        versions.append(Version(len(versions) + 1, row["valid_from"], document))
    return Supply(bundles, documents["shop_places"], documents["unknown_items"], unknown)


def _components(row: Any) -> Components:
    return tuple((sku, milli) for sku, milli in row["components"])


async def components_now(
    connection: Connection, skus: Collection[str], at: datetime
) -> dict[str, Components]:
    """What those of these items that are bundles consist of at a time."""
    rows = await connection.fetch(queries("supply")["components"], sorted(skus))
    known = _read(rows, (), frozenset())
    found = {sku: known.components(sku, at) for sku in skus}
    return {sku: parts for sku, parts in found.items() if parts}


async def choose_place(connection: Connection, order: OrderName, items: Items, wish: Wish) -> str:
    """The place that serves the order's shop: the best that has all of it, or the best of all.

    Refused: place_missing, where the configuration names none.
    """
    at = cast(datetime, await connection.fetchval(queries("commands")["clock"]))
    published = await connection.fetch(queries("supply")["configs"], KINDS[:1])
    known = _read((), published, frozenset())
    first = known.place(order.channel, order.shop, at, wish)
    serving = known.serving(order.channel, order.shop, at)
    if first is None or serving is None:
        raise Refused("place_missing", "name a place: none is configured for the shop")
    if wish.is_pickup:
        return first
    places = list(serving.towards(wish.near))
    demand = await _demand(connection, items, at)
    wanted = [*demand], [*demand.values()], order.channel, at
    found = await connection.fetchval(queries("supply")["places_with_all"], places, *wanted)
    return found if found is not None else first


async def _demand(connection: Connection, items: Items, at: datetime) -> dict[str, int]:
    """What the items take of stock, summed."""
    bundles = await components_now(connection, {sku for sku, _ in items}, at)
    demand: dict[str, int] = {}
    for sku, milli in items:
        for part, per_unit in bundles.get(sku, ((sku, 1000),)):
            demand[part] = demand.get(part, 0) + taken_milli(milli, per_unit)
    return demand
