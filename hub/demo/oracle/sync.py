"""How many events of each type a channel must be known to have told, and that none went astray."""

import numpy as np
import pandas as pd

from hub.demo.oracle import coupons, goods
from hub.demo.oracle.journey import Frame, Journey


def channel_sync(journey: Journey) -> Frame:
    """Every event applied, each counted once however often it came."""
    baskets, accounts = journey.baskets, journey.accounts
    paid_by_coupon = np.minimum(baskets["tendered"], baskets["total"])
    methods = (paid_by_coupon > 0).astype(int) + (baskets["total"] > paid_by_coupon).astype(int)
    later = (accounts["channel"] == "miniprogram") & (accounts["household"] % 2 == 0)
    pairs = journey.sold.drop_duplicates(["sku", "store"])
    stores = journey.sold.drop_duplicates("store")
    by_type = {
        "order.placed": baskets["channel"].value_counts(),
        "order.completed": baskets["channel"].value_counts(),
        "order.paid": methods.groupby(baskets["channel"]).sum(),
        "member.registered": accounts["channel"].value_counts(),
        "member.identified": accounts.loc[later, "channel"].value_counts(),
        "place.upserted": stores["channel"].value_counts(),
        "stock.counted": pairs["channel"].value_counts(),
        "item.upserted": pd.Series({"store": len(goods.items(journey))}),
        **coupons.told(journey),
    }
    counted = [
        {"channel": channel, "type": kind, "received": int(n), "applied": int(n)}
        for kind, counts in by_type.items()
        for channel, n in counts.items()
        if n
    ]
    return pd.DataFrame(counted).assign(ignored=0, parked=0, dead_letter=0)
