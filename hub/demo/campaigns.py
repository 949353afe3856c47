"""Campaigns as issued coupons, and the set's redemptions as their redemptions.

The set tells who was in a campaign, which coupons it had and who redeemed which on what day; not
which coupons a household held. So each household in a campaign is issued those it will redeem and
one more, chosen by a fixed rule, that stays unused.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zlib import crc32

from hub.demo.envelope import Fact, source, time_text
from hub.demo.households import Household, account
from hub.demo.source import OPENS_AT_S, ZONE, Frame, Tables

Held = tuple[int, int, int]
"""campaign, household, coupon UPC"""


@dataclass(frozen=True)
class Redemption:
    """One redemption, with the basket it was made in (None: none of the household that day)."""

    held: Held
    nth: int
    day: date
    basket: tuple[str, int, int] | None
    """basket number, store, second"""


def code(held: Held) -> str:
    """The code on a household's coupon."""
    campaign, household, upc = held
    return f"C{campaign:02d}-{household:05d}-{upc}"


def redemptions(tables: Tables) -> list[Redemption]:
    """The window's redemptions, by day; `nth` counts those of one coupon over the whole year."""
    baskets = _baskets_by_household_and_day(tables.lines)
    covers = {
        key: frozenset(group)
        for key, group in tables.coupons.groupby(["coupon_upc", "campaign_id"])["product_id"]
    }
    seen: dict[Held, int] = defaultdict(int)
    found: list[Redemption] = []
    ordered = tables.redemptions.sort_values(
        ["redemption_date", "household_id", "campaign_id", "coupon_upc"]
    )
    for household, upc, campaign, at in ordered.itertuples(index=False):
        held = (int(campaign), int(household), int(upc))
        seen[held] += 1
        day = at.date()
        if tables.window.first <= day <= tables.window.last:
            products = covers[upc, campaign]
            basket = _choose(baskets.get((int(household), day), []), products)
            found.append(Redemption(held, seen[held], day, basket))
    return found


DayBasket = tuple[int, int, int, frozenset[int]]
"""second, basket, store, products"""


def _baskets_by_household_and_day(
    lines: Frame,
) -> dict[tuple[int, date], list[DayBasket]]:
    days: dict[tuple[int, date], list[DayBasket]] = defaultdict(list)
    groups = lines.groupby(["at", "basket_id", "household_id", "store_id"], sort=True)
    for (at, basket, household, store), products in groups["product_id"]:
        second = int(at.timestamp())
        day = datetime.fromtimestamp(second, ZONE).date()
        days[int(household), day].append((second, int(basket), int(store), frozenset(products)))
    return days


def _choose(day: list[DayBasket], products: frozenset[int]) -> tuple[str, int, int] | None:
    """Of several baskets that day the first with a product of the coupon, otherwise the first."""
    if not day:
        return None
    second, basket, store, _ = next((b for b in day if b[3] & products), day[0])
    return str(basket), store, second


def held_coupons(tables: Tables) -> dict[Held, int]:
    """Each coupon issued by the campaigns that touch the window -> how often it may be used."""
    held: dict[Held, int] = defaultdict(int)
    running = set(tables.campaigns["campaign_id"].tolist())
    for household, upc, campaign, _ in tables.redemptions.itertuples(index=False):
        if campaign in running:
            held[int(campaign), int(household), int(upc)] += 1
    upcs = tables.coupons.groupby("campaign_id")["coupon_upc"].unique()
    for campaign, household in tables.campaign_households.itertuples(index=False):
        choice = sorted(int(upc) for upc in upcs[campaign])
        spare = choice[crc32(f"{campaign}:{household}".encode()) % len(choice)]
        held.setdefault((int(campaign), int(household), spare), 1)
    return dict(sorted(held.items()))


def issue_facts(tables: Tables, people: dict[int, Household]) -> Iterator[tuple[int, Fact]]:
    """Coupons are issued when their campaign starts, an hour before the year if it runs by then.

    Those of a campaign that started before the window come first, with their earlier times.
    """
    spans = {
        int(row.campaign_id): (_starts(row.start_date.date()), _starts(row.end_date.date(), 1))
        for row in tables.campaigns.itertuples(index=False)
    }
    issued: list[tuple[int, Fact]] = []
    for held, uses in held_coupons(tables).items():
        starts_s, ends_s = spans[held[0]]
        household = people[held[1]]
        home = household.home
        data: dict[str, Any] = {
            "code": code(held),
            "kind": "times" if uses > 1 else "discount",
            "account": account(home, household.number),
            "template": f"campaign-{held[0]}",
            "uses": uses,
            "valid_from": time_text(starts_s),
            "valid_until": time_text(ends_s),
        }
        shop = source(home, household.shops[home])
        fact = Fact("coupon.issued", f"issued-{code(held)}", shop, code(held), data)
        issued.append((max(starts_s, OPENS_AT_S - 3600), fact))
    issued.sort(key=lambda pair: (pair[0], pair[1].event_id))
    yield from issued


def redemption_facts(tables: Tables, people: dict[int, Household]) -> Iterator[tuple[int, Fact]]:
    """A redemption happens with its basket; without one, at noon at the household's home shop."""
    told: list[tuple[int, Fact]] = []
    for redemption in redemptions(tables):
        household = people[redemption.held[1]]
        own_code = code(redemption.held)
        number = f"{own_code}-{redemption.nth}"
        data: dict[str, Any] = {"code": own_code, "redemption_id": number}
        if redemption.basket is None:
            noon = datetime.combine(redemption.day, time(12), ZONE)
            channel, at_s = household.home, int(noon.timestamp())
            store = household.shops[channel]
        else:
            order_number, store, at_s = redemption.basket
            channel = tables.channel_of_store[store]
            data["order_number"] = order_number
        data["account"] = account(channel, household.number)
        data["place"] = str(store)
        fact = Fact("coupon.redeemed", f"redeemed-{number}", source(channel, store), own_code, data)
        told.append((at_s, fact))
    told.sort(key=lambda pair: (pair[0], pair[1].event_id))
    yield from told


def _starts(day: date, days_later: int = 0) -> int:
    """The first second of a business day (or of one so many days later)."""
    moment = datetime.combine(day + timedelta(days=days_later), time(), ZONE)
    return int(moment.astimezone(UTC).timestamp())
