"""Campaigns as issued coupons, redemptions as their uses, and the basket each belongs to."""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zlib import crc32

import pandas as pd

from hub.demo.oracle.journey import HOUR_S, Frame, Journey, midnight_s

YEAR_BEGINS = date(2017, 1, 1)


def coupons(journey: Journey) -> Frame:
    """The coupons of the campaigns that touch these days, and how often each was used in them."""
    campaigns = _campaigns(journey)
    uses = _uses(journey, set(campaigns))
    made: dict[str, list[int]] = {}
    for code, at_s, _ in redemptions(journey):
        made.setdefault(code, []).append(at_s)
    earliest_s = midnight_s(YEAR_BEGINS) - HOUR_S
    rows = []
    for code, (household, campaign, total) in uses.items():
        starts_s, ends_s = campaigns[campaign]
        at_s = made.get(code, [])
        rows.append(
            {
                "code": code,
                "kind": "times" if total > 1 else "discount",
                "template": f"campaign-{campaign}",
                "channel": journey.homes[household],
                "household": household,
                "is_used_up": "t" if len(at_s) == total else "f",
                "uses_total": total,
                "uses_redeemed": len(at_s),
                "uses_left": total - len(at_s),
                "live_count": len(at_s),
                "reversed_count": 0,
                "refused_count": 0,
                "redeemed_minor": 0,
                "first_redeemed_s": min(at_s, default=None),
                "last_redeemed_s": max(at_s, default=None),
                "issued_s": max(starts_s, earliest_s),
                "claimed_s": max(starts_s, earliest_s),
                "valid_from_s": starts_s,
                "valid_until_s": ends_s,
                "is_sold": "f",
            }
        )
    frame: Frame = pd.DataFrame(rows)
    moments = ["first_redeemed_s", "last_redeemed_s"]
    return frame.astype(dict.fromkeys(moments, "Int64"))


def _campaigns(journey: Journey) -> dict[int, tuple[int, int]]:
    """Campaigns that touch these days: their first second, and the first after them."""
    described = journey.tables["campaign_descriptions"]
    return {
        int(row.campaign_id): (
            midnight_s(row.start_date.date()), midnight_s(row.end_date.date(), days_later=1)
        )
        for row in _rows(described)
        if row.start_date.date() <= journey.last and row.end_date.date() >= journey.first
    }  # fmt: skip


def _code(campaign: int, household: int, upc: int) -> str:
    return f"C{campaign:02d}-{household:05d}-{upc}"


def _uses(journey: Journey, touching: set[int]) -> dict[str, tuple[int, int, int]]:
    """Code -> household, campaign, uses: what it redeems in the year, and one coupon more."""
    uses: dict[str, tuple[int, int, int]] = {}
    for row in _rows(journey.tables["coupon_redemptions"]):
        if row.campaign_id in touching:
            code = _code(row.campaign_id, row.household_id, row.coupon_upc)
            _, _, known = uses.get(code, (0, 0, 0))
            uses[code] = (int(row.household_id), int(row.campaign_id), known + 1)
    choices: dict[int, list[int]] = {}
    for row in _rows(journey.tables["coupons"][["campaign_id", "coupon_upc"]].drop_duplicates()):
        choices.setdefault(row.campaign_id, []).append(row.coupon_upc)
    for row in _rows(journey.tables["campaigns"]):
        if row.campaign_id in touching:
            upcs = sorted(choices[row.campaign_id])
            spare = upcs[crc32(f"{row.campaign_id}:{row.household_id}".encode()) % len(upcs)]
            code = _code(row.campaign_id, row.household_id, spare)
            uses.setdefault(code, (int(row.household_id), int(row.campaign_id), 1))
    return uses


def _rows(frame: Frame) -> Iterable[Any]:
    return frame.itertuples(index=False)


@lru_cache(maxsize=1)
def redemptions(journey: Journey) -> list[tuple[str, int, int]]:
    """Each redemption of these days: code, second and basket (0: none of the household's day)."""
    of_day = _baskets_of_days(journey)
    covered = journey.tables["coupons"].groupby(["coupon_upc", "campaign_id"])["product_id"]
    covers = {key: set(products) for key, products in covered}
    found = []
    for row in _rows(journey.tables["coupon_redemptions"]):
        day = row.redemption_date.date()
        if not journey.first <= day <= journey.last:
            continue
        baskets = of_day.get((row.household_id, day), [])
        products = covers[row.coupon_upc, row.campaign_id]
        fitting = [one for one in baskets if one[2] & products] or baskets
        noon_s = midnight_s(day) + 12 * HOUR_S
        at_s, basket, _ = fitting[0] if fitting else (noon_s, 0, set())
        found.append((_code(row.campaign_id, row.household_id, row.coupon_upc), at_s, basket))
    return found


def _baskets_of_days(journey: Journey) -> dict[tuple[int, date], list[tuple[int, int, set[int]]]]:
    """(household, day of the set) -> second, basket and products, by time."""
    redeeming = set(journey.tables["coupon_redemptions"]["household_id"])
    sold = journey.sold[journey.sold["household"].isin(redeeming)]
    midnights = {
        journey.first + timedelta(days=n): midnight_s(journey.first, days_later=n)
        for n in range((journey.last - journey.first).days + 1)
    }
    bounds, days = list(midnights.values()), list(midnights)
    found: dict[tuple[int, date], list[tuple[int, int, set[int]]]] = {}
    grouped = sold.groupby(["at_s", "order_number", "household"])["sku"]
    for (at_s, basket, household), skus in grouped:
        day = days[pd.Series(bounds).searchsorted(at_s, side="right") - 1]
        found.setdefault((household, day), []).append((int(at_s), int(basket), set(skus)))
    return found


def orders_with_coupons(journey: Journey) -> set[int]:
    """Baskets in which a coupon was redeemed, or matched by the retailer."""
    matched = journey.baskets.loc[journey.baskets["match"] > 0, "order_number"]
    return {basket for _, _, basket in redemptions(journey) if basket} | set(matched)


def told(journey: Journey) -> dict[str, Frame]:
    """How many coupons each channel issues and redeems."""
    held = _uses(journey, set(_campaigns(journey)))
    issued = pd.Series(
        [journey.homes[household] for household, _, _ in held.values()], dtype=object
    )
    channel_of = journey.baskets.set_index("order_number")["channel"]
    redeemed = pd.Series(
        [
            channel_of[basket] if basket else journey.homes[int(code.split("-")[1])]
            for code, _, basket in redemptions(journey)
        ],
        dtype=object,
    )
    return {"coupon.issued": issued.value_counts(), "coupon.redeemed": redeemed.value_counts()}
