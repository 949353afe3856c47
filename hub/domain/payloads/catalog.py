"""What events of items and places carry."""

from typing import Literal

from hub.domain.payloads.base import Attributes, Components, Id, Name, Payload


class Item(Payload):
    """`components`: what one unit of a bundle consists of; [] if it is no bundle, null if nothing
    is said of it."""

    sku: Id
    name: Name
    unit: Name | None = None
    category: Name | None = None
    brand: Name | None = None
    attributes: Attributes = {}
    components: Components | None = None


class Place(Payload):
    place: Id
    name: Name
    kind: Literal["store", "warehouse"]
    attributes: Attributes = {}


TYPES: dict[str, type[Payload]] = {
    "item.upserted": Item,
    "place.upserted": Place,
}
