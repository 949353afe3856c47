"""Items and places."""

from hub.domain import bundles, ids, payloads
from hub.domain.readers.base import Read, Reader


def _item(channel: str, shop: str, payload: payloads.catalog.Item) -> Read:
    # Read here for its refusals: what cannot be used is no event.
    bundles.read(payload.components or (), payload.sku, "$.data.components")
    return "item", payload.sku, ids.catalog_id("item", payload.sku), payload


def _place(channel: str, shop: str, payload: payloads.catalog.Place) -> Read:
    return "place", payload.place, ids.catalog_id("place", payload.place), payload


READERS: dict[str, Reader] = {
    "item.upserted": _item,
    "place.upserted": _place,
}
DECIDED: frozenset[str] = frozenset()
