"""Price lists: what members of a level pay for an item. Pure.

Configuration of kind `price_list`, named by the level's `price_list`.

A list says no more than what its members pay; the plain price is the channel's own and comes with
the question.
"""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hub.domain import money
from hub.domain.documents import BadDocument, Document, convert

KIND = "price_list"
PRICES_MAX = 20_000


class _Said(Struct, forbid_unknown_fields=True):
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    percent_off: Annotated[int, Meta(ge=0, le=100)] = 0
    prices: Annotated[Mapping[str, str], Meta(max_length=PRICES_MAX)] = {}


class PriceList(Struct, frozen=True):
    """Prices by SKU in minor units; all other items are so many percent off."""

    currency: str
    percent_off: int
    prices: Mapping[str, int]

    def price_minor(self, sku: str, plain_minor: int, currency: str) -> int:
        """What one of the item costs by this list; never more than the plain price."""
        if currency != self.currency:
            return plain_minor
        off = (plain_minor * self.percent_off + 50) // 100  # half a fen is the buyer's
        return min(self.prices.get(sku, plain_minor - off), plain_minor)


def read(document: Document) -> PriceList:
    """A price list from its document. BadDocument names the item whose price is none."""
    said = convert(document, _Said)
    prices = {}
    for sku, price in said.prices.items():
        try:
            prices[sku] = money.minor(price, said.currency)
        except money.BadNumber as bad:
            raise BadDocument(str(bad), f"$.prices.{sku}") from None
        if prices[sku] < 0:
            raise BadDocument("a price is below 0", f"$.prices.{sku}")
    return PriceList(said.currency, said.percent_off, prices)
