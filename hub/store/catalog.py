"""Items, places, channels and shops in Postgres: the newest word about an item or place counts."""

from collections.abc import Sequence

from hub.domain import bundles, sandbox
from hub.domain.envelope import APPLIED, Event, ignored
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work

OLDER = ignored("a newer description is known")
_ITEMS = Rows(
    "items",
    key=("sku",),
    columns={
        "sku": "text",
        "name": "text",
        "unit": "text",
        "category": "text",
        "brand": "text",
        "attributes": "jsonb",
        "position_at": "timestamptz",
        "position_id": "uuid",
    },
)
_PLACES = Rows(
    "places",
    key=("place",),
    columns={
        "place": "text",
        "name": "text",
        "kind": "text",
        "attributes": "jsonb",
        "position_at": "timestamptz",
        "position_id": "uuid",
    },
)


_COMPONENTS = Rows(
    "item_components",
    key=("event_key",),
    columns={"event_key": "uuid", "sku": "text", "components": "jsonb", "said_at": "timestamptz"},
)


async def apply(connection: Connection, work: Work) -> None:
    """Write items and places, and note channels and shops that appear for the first time."""
    items = await _newest(connection, work, "item")
    said = [event for event in work.of("item") if event.data.components is not None]
    await _COMPONENTS.insert(connection, [_components_row(event) for event in said])
    await _ITEMS.upsert(connection, [_item_row(event) for event in items])
    places = await _newest(connection, work, "place")
    await _PLACES.upsert(connection, [_place_row(event) for event in places])
    real = (t.event for t in work.taken if t.event.entity_kind != sandbox.KIND)
    shops = sorted({(event.channel, event.shop) for event in real})
    await connection.execute(
        queries("catalog")["add_shops"], [c for c, _ in shops], [s for _, s in shops]
    )


async def _newest(connection: Connection, work: Work, kind: str) -> Sequence[Event]:
    """The events that change something, one a subject; judges all of this kind."""
    events = work.of(kind)
    if not events:
        return []
    subjects = sorted({event.subject for event in events})
    rows = await connection.fetch(queries("catalog")[f"lock_{kind}s"], subjects)
    known = {row["subject"]: (row["position_at"], row["position_id"]) for row in rows}
    if kind == "item":
        work.items_new.update(subject for subject in subjects if subject not in known)
    newest: dict[str, Event] = {}
    for event in events:
        position = (event.occurred_at, event.key)
        is_newer = event.subject not in known or position > known[event.subject]
        work.verdicts[event.key] = APPLIED if is_newer else OLDER
        if is_newer:
            known[event.subject] = position
            newest[event.subject] = event
    return [newest[subject] for subject in sorted(newest)]


def _item_row(event: Event) -> tuple[object, ...]:
    item = event.data
    return (
        item.sku,
        item.name,
        item.unit,
        item.category,
        item.brand,
        item.attributes,
        event.occurred_at,
        event.key,
    )


def _components_row(event: Event) -> tuple[object, ...]:
    parts = bundles.read(event.data.components, event.subject, "$.data.components")
    return (event.key, event.subject, parts, event.occurred_at)


def _place_row(event: Event) -> tuple[object, ...]:
    place = event.data
    return (place.place, place.name, place.kind, place.attributes, event.occurred_at, event.key)
