"""Orders and their money: what each basket must be in the marts of orders, money and sales."""

import numpy as np
import pandas as pd

from hub.demo.oracle.journey import Frame, Journey, half_up

PAID_AFTER_S = 5
COMPLETED_AFTER_S = 10


def orders(journey: Journey) -> Frame:
    """An order a basket: placed, paid 5 s later if it costs anything, completed 10 s later."""
    baskets = journey.baskets
    paid_s = _paid_s(baskets)
    by_coupon = np.minimum(baskets["tendered"], baskets["total"])
    payments = (by_coupon > 0).astype(int) + (baskets["total"] > by_coupon).astype(int)
    return pd.DataFrame(
        {
            "order_number": baskets["order_number"],
            "channel": baskets["channel"],
            "shop": baskets["store"],
            "household": baskets["household"],
            "place": baskets["store"],
            "currency": "USD",
            "status": "completed",
            "payment_status": "paid",
            "fulfilment_status": "fulfilled",
            "return_status": "none",
            "lines": baskets["lines"],
            "gross_minor": baskets["gross"],
            "discount_minor": baskets["discount"],
            "total_minor": baskets["total"],
            "paid_minor": baskets["total"],
            "refunded_minor": 0,
            "net_paid_minor": baskets["total"],
            "placed_s": baskets["at_s"],
            "placed_date": journey.day_of(baskets["at_s"]),
            "paid_s": paid_s,
            "fulfilled_s": baskets["at_s"] + COMPLETED_AFTER_S,
            "completed_s": baskets["at_s"] + COMPLETED_AFTER_S,
            "is_cancelled": "f",
            "is_sale": "t",
            "event_count": 2 + payments,
        }
    )


def _paid_s(baskets: Frame) -> Frame:
    return baskets["at_s"] + np.where(baskets["total"] > 0, PAID_AFTER_S, 0)


def order_lines(journey: Journey) -> Frame:
    """A line a row of the set."""
    sold = journey.sold
    whole, rest = np.divmod(sold["gross"] * 1000, np.maximum(sold["milli"], 1))
    is_above = (2 * rest > sold["milli"]) | ((2 * rest == sold["milli"]) & (whole % 2 == 1))
    return pd.DataFrame(
        {
            "order_number": sold["order_number"],
            "line": sold["line"],
            "channel": sold["channel"],
            "household": sold["household"],
            "place": sold["store"],
            "placed_s": sold["at_s"],
            "placed_date": journey.day_of(sold["at_s"]),
            "sku": sold["sku"],
            "milli": sold["milli"],
            "fulfilled_milli": sold["milli"],
            "returned_milli": 0,
            "currency": "USD",
            "unit_price_minor": np.where(sold["milli"] > 0, whole + is_above, 0),
            "gross_minor": sold["gross"],
            "discount_minor": sold["discount"],
            "total_minor": sold["total"],
            "loyalty_discount_minor": sold["loyalty"],
            "coupon_discount_minor": 0,
            "coupon_match_discount_minor": sold["match"],
            "promotion_discount_minor": 0,
            "manual_discount_minor": 0,
            "discount_count": (sold["loyalty"] > 0).astype(int) + (sold["match"] > 0),
        }
    )


def payments(journey: Journey) -> Frame:
    """All that was paid for an order is one capture."""
    paid = journey.baskets[journey.baskets["total"] > 0]
    return pd.DataFrame(
        {
            "order_number": paid["order_number"],
            "kind": "money",
            "part": "",
            "channel": paid["channel"],
            "shop": paid["store"],
            "household": paid["household"],
            "is_sale": "t",
            "status": "captured",
            "currency": "USD",
            "amount_minor": paid["total"],
            "points": 0,
            "made_s": _paid_s(paid),
            "made_date": journey.day_of(_paid_s(paid)),
        }
    )


def settlements(journey: Journey) -> Frame:
    """What was charged was paid; the set has no bills."""
    paid = journey.baskets[journey.baskets["total"] > 0]
    nothing = dict.fromkeys(
        ["refunded_minor", "bill_count", "billed_minor", "fee_minor", "commission_minor",
         "subsidy_minor", "payout_minor", "payment_difference_minor"], 0,
    )  # fmt: skip
    return pd.DataFrame(
        {
            "order_number": paid["order_number"],
            "channel": paid["channel"],
            "shop": paid["store"],
            "is_sale": "t",
            "currency": "USD",
            "placed_date": journey.day_of(paid["at_s"]),
            "charged_minor": paid["total"],
            "paid_minor": paid["total"],
            **nothing,
            "is_bill_compared": "f",
            "status": "unbilled",
        }
    )


def daily_sales(journey: Journey) -> Frame:
    """Sums by business day and channel: sales by when they were placed, money by when it came."""
    baskets = journey.baskets.assign(day=journey.day_of(journey.baskets["at_s"]))
    placed = baskets.groupby(["day", "channel"]).agg(
        order_count=("order_number", "size"), member_count=("household", "nunique"),
        unit_milli=("milli", "sum"), gmv_minor=("total", "sum"),
    )  # fmt: skip
    baskets["day"] = journey.day_of(_paid_s(baskets))
    paid = baskets[baskets["total"] > 0].groupby(["day", "channel"])["total"].sum()
    both = placed.join(paid.rename("paid_minor"), how="outer").fillna(0).astype("int64")
    nothing = dict.fromkeys(
        ["refunded_minor", "voucher_sold_minor", "voucher_earned_minor", "voucher_released_minor"],
        0,
    )
    return both.assign(**nothing, net_sales_minor=both["paid_minor"]).reset_index()


def basket_pairs(journey: Journey) -> Frame:
    """Categories that one basket has, two by two, by month."""
    products = journey.tables["products"].dropna(subset="product_category")
    category = products.set_index("product_id")["product_category"].astype(object)
    sold = journey.sold[["order_number", "at_s"]].assign(
        category=journey.sold["sku"].map(category).to_numpy()
    )
    sold = sold.dropna(subset="category").drop_duplicates(["order_number", "category"])
    sold["month"] = [day[:7] + "-01" for day in journey.day_of(sold["at_s"])]
    return pd.concat([_pairs_of_month(month, rows) for month, rows in sold.groupby("month")])


def _pairs_of_month(month: str, rows: Frame) -> Frame:
    one = rows[["order_number", "category"]]
    both = one.merge(one, on="order_number", suffixes=("", "_other"))
    both = both[both["category"] < both["category_other"]]
    pairs = both.groupby(["category", "category_other"]).size().rename("order_count").reset_index()
    baskets = one.groupby("category").size()
    pairs["category_order_count"] = pairs["category"].map(baskets)
    pairs["other_category_order_count"] = pairs["category_other"].map(baskets)
    pairs["month_order_count"] = one["order_number"].nunique()
    pairs["lift_1e4"] = half_up(
        pairs["order_count"] * pairs["month_order_count"] * 10_000,
        pairs["category_order_count"] * pairs["other_category_order_count"],
    )
    return pairs.rename(columns={"category_other": "other_category"}).assign(month=month)
