"""Items and places."""

from hub.domain import ids, payloads
from hub.domain.readers.base import Read, Reader


def _item(channel: str, shop: str, payload: payloads.catalog.Item) -> Read:
    return "item", payload.sku, ids.catalog_id("item", payload.sku), payload


def _place(channel: str, shop: str, payload: payloads.catalog.Place) -> Read:
    return "place", payload.place, ids.catalog_id("place", payload.place), payload


READERS: dict[str, Reader] = {
    "item.upserted": _item,
    "place.upserted": _place,
}
DECIDED: frozenset[str] = frozenset()
