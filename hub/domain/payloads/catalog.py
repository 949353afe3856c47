"""What events of items and places carry."""

from typing import Literal

from hub.domain.payloads.base import Attributes, Id, Name, Payload


class Item(Payload):
    sku: Id
    name: Name
    unit: Name | None = None
    category: Name | None = None
    brand: Name | None = None
    attributes: Attributes = {}


class Place(Payload):
    place: Id
    name: Name
    kind: Literal["store", "warehouse"]
    attributes: Attributes = {}


TYPES: dict[str, type[Payload]] = {
    "item.upserted": Item,
    "place.upserted": Place,
}
