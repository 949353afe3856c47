"""Households as members: their accounts, points, portraits and segments."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from hub.demo.oracle import coupons
from hub.demo.oracle.journey import DAY_S, Frame, Journey, account_names, half_up, midnight_s
from hub.demo.oracle.sales import PAID_AFTER_S

REGISTERED_BEFORE_S = 2 * DAY_S
YEAR_BEGINS = date(2017, 1, 1)


def member_identities(journey: Journey) -> Frame:
    """An account a channel the household ever uses, with what it proved and what it only said."""
    accounts = journey.accounts
    household, channel = accounts["household"], accounts["channel"]
    at_website = set(household[channel == "website"])
    types = {
        "website": "email,phone",
        "miniprogram": "openid,phone",
        "store": "card,phone",
    }
    proven = channel.map(types)
    both = (channel == "store") & household.isin(at_website)
    declared = (channel == "website").astype(int) * (1 + (household % 7 == 0))
    later = ((channel == "miniprogram") & (household % 2 == 0)).astype(int)
    # Told a second apart; who proves the phone later takes two.
    told = np.arange(len(accounts)) + later.cumsum().shift(fill_value=0)
    registered_s = midnight_s(YEAR_BEGINS) - REGISTERED_BEFORE_S + told
    return pd.DataFrame(
        {
            "channel": channel,
            "account": account_names(channel, household),
            "household": household,
            "verified_types": proven.where(~both, "card,email"),
            "verified_count": 2,
            "declared_count": declared,
            "registered_s": registered_s,
            "first_seen_s": registered_s,
        }
    )


def member_links(journey: Journey) -> Frame:
    """Each account has one open link, to whom it belongs."""
    identities = member_identities(journey)
    return identities[["channel", "account"]].assign(current_count=1, is_to_its_member="t")


def members(journey: Journey) -> Frame:
    """A member a household, whether it bought in these days or not."""
    identities = member_identities(journey).sort_values(["household", "channel"])
    grouped = identities.groupby("household")
    registered_s = grouped["registered_s"].min()
    united = pd.DataFrame(
        {
            "household_count": 1,
            "profile_count": grouped.size(),
            "channel_count": grouped.size(),
            "channels": grouped["channel"].agg(",".join),
            "verified_count": grouped["verified_count"].sum(),
            "registered_s": registered_s,
            "first_seen_s": registered_s,
            "first_seen_date": journey.day_of(registered_s),
        }
    )
    return united.reset_index()


def points_ledger(journey: Journey) -> Frame:
    """One point for each whole unit of an order's total, once it is paid."""
    baskets = journey.baskets
    earning = baskets[baskets["total"] >= 100]
    earned_s = earning["at_s"] + PAID_AFTER_S
    return pd.DataFrame(
        {
            "order_number": earning["order_number"],
            "channel": earning["channel"],
            "household": earning["household"],
            "kind": "earned",
            "points": earning["total"] // 100,
            "occurred_s": earned_s,
            "occurred_date": journey.day_of(earned_s),
            "rule_version": "earn-1",
        }
    )


def points_balances(journey: Journey) -> Frame:
    """All that an account earned is open."""
    earned = points_ledger(journey).groupby(["channel", "household"])["points"].sum().reset_index()
    nothing = dict.fromkeys(["spent", "expired", "reversed", "pending", "held", "debt"], 0)
    return pd.DataFrame(
        {
            "channel": earned["channel"],
            "account": account_names(earned["channel"], earned["household"]),
            "balance": earned["points"],
            "issued": earned["points"],
            "open": earned["points"],
            **nothing,
        }
    )


def customer_portrait(journey: Journey) -> Frame:
    """Recency, frequency, monetary value and habits of each household; most of it empty for who
    bought nothing in these days."""
    bought = _bought(journey)
    everyone = pd.DataFrame({"household": sorted(journey.homes)})
    shown = everyone.merge(bought, on="household", how="left")
    for name in ("order_count", "spent_minor", "average_order_minor", "channel_count",
                 "coupon_order_count", "coupon_share_1e4", "points_balance"):  # fmt: skip
        shown[name] = shown[name].fillna(0).astype("int64")
    shown["channels"] = shown["channels"].fillna("")
    for name in ("days_between_tenths",):
        shown[name] = shown[name].astype("Int64")
    return shown.assign(tiers="{}", points_at_risk=0, has_expiry="f")


def _bought(journey: Journey) -> Frame:
    baskets = journey.baskets.assign(
        day=pd.to_datetime(journey.day_of(journey.baskets["at_s"])),
        points=journey.baskets["total"] // 100,
        by_coupon=journey.baskets["order_number"].isin(coupons.orders_with_coupons(journey)),
    )
    grouped = baskets.groupby("household")
    count = grouped.size()
    first, last = grouped["day"].min(), grouped["day"].max()
    days = (last - first).dt.days
    tenths = half_up(10 * days, (count - 1).where(count > 1, 1)).where(count > 1)
    quiet = np.maximum(-(-2 * tenths // 10), 30).where(count > 1, 90).astype(int)
    at_risk = [str((d + timedelta(days=n)).date()) for d, n in zip(last, quiet, strict=True)]
    used = baskets.drop_duplicates(["household", "channel"]).sort_values("channel")
    by_coupon = grouped["by_coupon"].sum()
    return pd.DataFrame(
        {
            "first_order_date": first.dt.strftime("%Y-%m-%d"),
            "last_order_date": last.dt.strftime("%Y-%m-%d"),
            "order_count": count,
            "currency": "USD",
            "spent_minor": grouped["total"].sum(),
            "average_order_minor": grouped["total"].sum() // count,
            "days_between_tenths": tenths,
            "churn_risk_date": at_risk,
            "channels": used.groupby("household")["channel"].agg(",".join),
            "channel_count": grouped["channel"].nunique(),
            "preferred_channel": _most(baskets.assign(one=1), "channel", "one"),
            "preferred_category": _preferred_category(journey),
            "coupon_order_count": by_coupon,
            "coupon_share_1e4": half_up(10_000 * by_coupon, count),
            "points_balance": grouped["points"].sum(),
        }
    ).rename_axis("household").reset_index()  # fmt: skip


def _preferred_category(journey: Journey) -> Frame:
    products = journey.tables["products"].dropna(subset="product_category")
    category = products.set_index("product_id")["product_category"].astype(object)
    lines = journey.sold[["household", "total"]].assign(
        category=journey.sold["sku"].map(category).to_numpy()
    )
    return _most(lines.dropna(subset="category"), "category", "total")


def _most(rows: Frame, column: str, weight: str) -> Frame:
    """Of each household the value with the greatest sum; the first by name of several."""
    sums = rows.groupby(["household", column])[weight].sum().reset_index()
    sums = sums.sort_values([weight, column], ascending=[False, True])
    return sums.drop_duplicates("household").set_index("household")[column]


def segments(journey: Journey) -> Frame:
    """Which saved conditions a household fulfils."""
    known = customer_portrait(journey)
    count, share = known["order_count"], known["coupon_share_1e4"]
    holds = {
        "new": count == 1,
        "regular": (count >= 2) & (known["days_between_tenths"] <= 600).fillna(value=False),
        "cross_channel": known["channel_count"] >= 2,
        "coupon_lover": (count >= 2) & (share >= 5_000),
        "leaving": count >= 1,
    }
    found = [
        known.loc[which.astype(bool), ["household"]].assign(
            segment=segment,
            holds_from=known["churn_risk_date"] if segment == "leaving" else None,
        )
        for segment, which in holds.items()
    ]
    return pd.concat(found, ignore_index=True)
