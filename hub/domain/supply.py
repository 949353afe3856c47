"""What an order takes of stock where the order itself does not say: the components of bundles, the
place that serves its shop, and items that nobody has described yet. Pure.

It depends on when the order was placed, and on what the catalog and the configuration say of that
time, whenever that was heard: the fold of an order takes it as an input. Loading it, and telling
orders again when it changes: `hub.store.supply`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.domain.bundles import Components
from hub.domain.distance import Point, km
from hub.domain.documents import Document, Version, convert, in_force
from hub.domain.order_data import Content

DEFAULT = "default"
PLACES_MAX = 50
PlaceName = Annotated[str, Meta(min_length=1, max_length=128)]


class Position(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a place is, in degrees."""

    latitude: Annotated[float, Meta(ge=-90, le=90)]
    longitude: Annotated[float, Meta(ge=-180, le=180)]


class ShopPlaces(Struct, frozen=True, forbid_unknown_fields=True):
    """Which places serve a shop of a channel: the first one first, or the nearest one where it is
    known where they are and where the goods shall go. pickup: what is picked up."""

    places: Annotated[tuple[PlaceName, ...], Meta(min_length=1, max_length=PLACES_MAX)]
    pickup: PlaceName | None = None
    positions: dict[PlaceName, Position] = {}

    def towards(self, near: Point | None) -> Sequence[str]:
        """The places, the one that serves best first; those that are nowhere come last."""
        if near is None or not self.positions:
            return self.places
        at = {name: Point(one.latitude, one.longitude) for name, one in self.positions.items()}
        return sorted(self.places, key=lambda name: km(near, at[name]) if name in at else inf)


class Wish(Struct, frozen=True):
    """How the goods are to come to the customer: picked up, or sent to somewhere near a point."""

    is_pickup: bool = False
    near: Point | None = None


class UnknownItems(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether lines of items that nobody has described take stock by their names, or wait."""

    stock: Literal["wait", "take"]


class Supply(Struct, frozen=True):
    """What is known beside orders. Versions are by item, by (channel/shop), by channel; unknown:
    items that nobody has described, of those that were asked for."""

    bundles: Mapping[str, Sequence[Version[Components]]] = {}
    places: Mapping[str, Sequence[Version[ShopPlaces]]] = {}
    unknown_items: Mapping[str, Sequence[Version[UnknownItems]]] = {}
    unknown: frozenset[str] = frozenset()

    def components(self, sku: str, at: datetime) -> Components:
        """What a bundle consisted of at a time; nothing for what is no bundle."""
        found = in_force(self.bundles.get(sku, ()), at)
        return found.document if found is not None else ()

    def serving(self, channel: str, shop: str, at: datetime) -> ShopPlaces | None:
        """The places that serve a shop, if the configuration names any."""
        found = in_force(self.places.get(f"{channel}/{shop}", ()), at)
        return found.document if found is not None else None

    def place(self, channel: str, shop: str, at: datetime, wish: Wish) -> str | None:
        """The place that serves an order of a shop, if the configuration says so."""
        found = self.serving(channel, shop, at)
        if found is None:
            return None
        return (wish.is_pickup and found.pickup) or found.towards(wish.near)[0]

    def waits(self, channel: str, sku: str, at: datetime) -> bool:
        """Whether what a line takes waits until somebody describes its item."""
        if sku not in self.unknown:
            return False
        for name in (channel, DEFAULT):
            if (found := in_force(self.unknown_items.get(name, ()), at)) is not None:
                return found.document.stock == "wait"
        return False


NOTHING = Supply()


def taken_by(content: Content, supply: Supply, channel: str, at: datetime) -> dict[str, Components]:
    """What lines take in place of their own items, by line; what waits takes nothing."""
    found: dict[str, Components] = {}
    for line in content.lines:
        if line.is_made_to_order or (line.components is None and supply is NOTHING):
            continue
        parts = line.components
        if parts is None:
            parts = supply.components(line.sku, at)
        if parts:
            found[line.line] = parts
        elif supply.waits(channel, line.sku, at):
            found[line.line] = ()
    return found


def read_places(document: Document) -> ShopPlaces:
    return convert(document, ShopPlaces)


def read_unknown_items(document: Document) -> UnknownItems:
    return convert(document, UnknownItems)
