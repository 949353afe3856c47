"""Items, places and the opening stock that a window's baskets need.

The set has no stock: each product sold at a store starts with what the window will sell there and
a surplus by a fixed rule, so that what must be left at the end is known.
"""

from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pandas as pd

from hub.demo.amounts import quantity_text
from hub.demo.envelope import Fact, source, time_text
from hub.demo.source import FUEL, Frame, Tables

HEAD_OFFICE = source("store", "head-office")
SURPLUS_UNITS_MAX = 20
SEED_DEFAULT = 7

Positions = dict[tuple[str, str], tuple[int, int]]
"""(sku, place) -> (counted before the first sale, left after the last), in thousandths"""


def surplus_milli(seed: int, sku: str, place: str) -> int:
    """What is left of a product at a store when the window has been sold."""
    return crc32(f"{seed}:{sku}:{place}".encode()) % (SURPLUS_UNITS_MAX + 1) * 1000


def opening_stock(tables: Tables, seed: int) -> Positions:
    """What a window needs of each product it sells at each store."""
    demand = tables.lines.groupby(["product_id", "store_id"])["milli"].sum()
    positions: Positions = {}
    for (product, store), sold in demand.items():
        sku, place = str(product), str(store)
        left = surplus_milli(seed, sku, place)
        positions[sku, place] = (int(sold) + left, left)
    return positions


def item_facts(tables: Tables) -> Iterator[Fact]:
    """Each product of the window; the set describes most but not all of them."""
    known = tables.products.set_index("product_id")
    for product in sorted(tables.lines["product_id"].unique().tolist()):
        row = known.loc[product] if product in known.index else None
        data: dict[str, Any] = {"sku": str(product), "name": f"Product {product}", "unit": "piece"}
        if row is not None:
            data |= _described(row)
        yield Fact("item.upserted", f"item-{product}", HEAD_OFFICE, str(product), data)


def _described(row: Frame) -> dict[str, Any]:
    found = {name: str(row[name]) for name in row.index if not pd.isna(row[name])}
    data: dict[str, Any] = {"attributes": {"department": found["department"]}, "unit": "piece"}
    if "product_type" in found:
        data["name"] = " ".join(filter(None, (found["product_type"], found.get("package_size"))))
    if found.get("product_type") == FUEL:
        data["unit"] = "gal"
    if "product_category" in found:
        data["category"] = found["product_category"]
    if "brand" in found:
        data["brand"] = found["brand"]
    return data


def place_facts(tables: Tables) -> Iterator[Fact]:
    """Each store of the window, told by itself."""
    for store in sorted(tables.lines["store_id"].unique().tolist()):
        channel = tables.channel_of_store[store]
        data = {"place": str(store), "name": f"Store {store}", "kind": "store"}
        yield Fact("place.upserted", f"place-{store}", source(channel, store), str(store), data)


def count_facts(tables: Tables, positions: Positions, measured_at_s: int) -> Iterator[Fact]:
    """The opening counts, told by each store."""
    measured_at = time_text(measured_at_s)
    for (sku, place), (opening, _) in positions.items():
        data = {
            "sku": sku,
            "place": place,
            "quantity": quantity_text(opening),
            "measured_at": measured_at,
        }
        event_id = f"count-{sku}-{place}-{measured_at_s}-{opening}"
        channel = tables.channel_of_store[int(place)]
        yield Fact("stock.counted", event_id, source(channel, place), sku, data)
