"""What an order takes of stock where the order itself does not say: the components of bundles, the
place that serves its shop, and items that nobody has described yet. Pure.

It depends on when the order was placed, and on what the catalog and the configuration say of that
time, whenever that was heard: the fold of an order takes it as an input. Loading it, and telling
orders again when it changes: `hub.store.supply`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.domain.bundles import Components
from hub.domain.documents import Document, Version, convert, in_force
from hub.domain.order_data import Content

DEFAULT = "default"
PLACES_MAX = 50
PlaceName = Annotated[str, Meta(min_length=1, max_length=128)]


class ShopPlaces(Struct, frozen=True, forbid_unknown_fields=True):
    """Which places serve a shop of a channel: the first one first. pickup: what is picked up."""

    places: Annotated[tuple[PlaceName, ...], Meta(min_length=1, max_length=PLACES_MAX)]
    pickup: PlaceName | None = None


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

    def place(self, channel: str, shop: str, at: datetime, *, is_pickup: bool) -> str | None:
        """The place that serves a shop, if the configuration says so."""
        found = in_force(self.places.get(f"{channel}/{shop}", ()), at)
        if found is None:
            return None
        return (is_pickup and found.document.pickup) or found.document.places[0]

    def listed(self, channel: str, shop: str, at: datetime) -> Sequence[str]:
        """All places that serve a shop, the first one first."""
        found = in_force(self.places.get(f"{channel}/{shop}", ()), at)
        return found.document.places if found is not None else ()

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
