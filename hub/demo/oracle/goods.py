"""What is sold, where, and what must be left of it; and the days themselves."""

from datetime import date, timedelta
from zlib import crc32

import pandas as pd

from hub.demo.oracle.journey import CHANNELS, HOUR_S, Frame, Journey, midnight_s
from hub.demo.oracle.sales import COMPLETED_AFTER_S

FIRST_DAY, LAST_DAY = date(2015, 1, 1), date(2035, 12, 31)


def items(journey: Journey) -> Frame:
    """An item a product that was sold; one without description is named by its number."""
    sold = pd.DataFrame({"sku": sorted(set(journey.sold["sku"]))})
    known = journey.tables["products"].astype(object).set_index("product_id")
    known = known.where(known.notna(), None).reindex(sold["sku"]).reset_index(drop=True)
    said = known["product_type"]
    size = known["package_size"].fillna("")
    named = (said.fillna("") + " " + size).str.strip()
    return pd.DataFrame(
        {
            "sku": sold["sku"],
            "name": named.where(said.notna(), "Product " + sold["sku"].astype(str)),
            "unit": ["gal" if one == "GASOLINE-REG UNLEADED" else "piece" for one in said],
            "category": known["product_category"],
            "brand": known["brand"],
        }
    )


def places(journey: Journey) -> Frame:
    """A place a store that sold something."""
    stores = pd.Series(sorted(set(journey.sold["store"])))
    return pd.DataFrame({"place": stores, "name": "Store " + stores.astype(str), "kind": "store"})


def channels(journey: Journey) -> Frame:
    """The three channels, once anything came of them."""
    del journey
    return pd.DataFrame(
        {"channel": CHANNELS, "name": CHANNELS, "kind": "generic", "is_active": "t"}
    )


def dates(journey: Journey) -> Frame:
    """The calendar by ISO 8601; festivals are not the set's."""
    del journey
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
    weeks = [day.isocalendar() for day in days]
    return pd.DataFrame(
        {
            "calendar_date": [str(day) for day in days],
            "year": [day.year for day in days],
            "quarter": [(day.month + 2) // 3 for day in days],
            "month": [day.month for day in days],
            "month_start_date": [str(day.replace(day=1)) for day in days],
            "iso_year": [week.year for week in weeks],
            "iso_week": [week.week for week in weeks],
            "week_start_date": [str(day - timedelta(days=day.weekday())) for day in days],
            "iso_weekday": [week.weekday for week in weeks],
            "is_weekend": ["t" if week.weekday > 5 else "f" for week in weeks],
        }
    )


def _opened(journey: Journey) -> Frame:
    """Each product at each store: its demand, and the surplus that must be left."""
    demand = journey.sold.groupby(["sku", "store"])["milli"].sum().reset_index()
    surplus = [
        crc32(f"{journey.seed}:{sku}:{store}".encode()) % 21 * 1000
        for sku, store in zip(demand["sku"], demand["store"], strict=True)
    ]
    return demand.rename(columns={"store": "place"}).assign(surplus=surplus)


def _counted_s(journey: Journey) -> int:
    return midnight_s(journey.first) - 2 * HOUR_S


def stock_positions(journey: Journey) -> Frame:
    """Exactly the surplus is left everywhere."""
    opened = _opened(journey)
    return pd.DataFrame(
        {
            "sku": opened["sku"],
            "place": opened["place"],
            "on_hand_milli": opened["surplus"],
            "committed_milli": 0,
            "reserved_milli": 0,
            "unavailable_milli": 0,
            "available_milli": opened["surplus"],
            "counted_s": _counted_s(journey),
        }
    )


def stock_movements(journey: Journey) -> Frame:
    """The opening counts; what lines commit when they are placed and give out when completed."""
    opened, sold = _opened(journey), journey.sold[journey.sold["milli"] > 0]
    counted = pd.DataFrame(
        {
            "order_number": 0, "sku": opened["sku"], "place": opened["place"], "kind": "counted",
            "on_hand_milli": opened["milli"] + opened["surplus"], "committed_milli": 0,
            "occurred_s": _counted_s(journey),
        }
    )  # fmt: skip
    line = sold[["order_number", "sku"]].assign(place=sold["store"])
    committed = line.assign(
        kind="committed", on_hand_milli=0, committed_milli=sold["milli"], occurred_s=sold["at_s"]
    )
    issued = line.assign(
        kind="issued", on_hand_milli=-sold["milli"], committed_milli=-sold["milli"],
        occurred_s=sold["at_s"] + COMPLETED_AFTER_S,
    )  # fmt: skip
    moved = pd.concat([counted, committed, issued], ignore_index=True)
    occurred = journey.day_of(moved["occurred_s"])
    return moved.assign(reserved_milli=0, unavailable_milli=0, occurred_date=occurred)
