"""The whole stream of one window in time order: the opening, then sales and coupons as they came.

Each noun's events are made in its own module; disturbing and producing them are others' work.
"""

import heapq
from collections.abc import Iterator
from operator import itemgetter

from hub.demo import baskets, campaigns, catalog, households
from hub.demo.envelope import Fact, Record, record
from hub.demo.source import OPENS_AT_S, Tables

HOUR_S = 3600
CATALOG_BEFORE_S = 72 * HOUR_S
MEMBERS_BEFORE_S = 48 * HOUR_S
COUNT_BEFORE_S = 2 * HOUR_S

Timed = tuple[int, Fact]


def records(tables: Tables, seed: int = catalog.SEED_DEFAULT) -> Iterator[Record]:
    """Every event of the window once, by the time it happened."""
    for at_s, fact in opening(tables):
        yield record(at_s, fact)
    for at_s, fact in trading(tables, seed):
        yield record(at_s, fact)


def count(tables: Tables) -> int:
    """How many events `records` gives, nearly: enough for a bar."""
    lines = tables.lines
    baskets_count = lines["basket_id"].nunique()
    positions = len(lines[["product_id", "store_id"]].drop_duplicates())
    coupons = len(campaigns.held_coupons(tables)) + len(campaigns.redemptions(tables))
    accounts = sum(len(household.shops) for household in households.households(tables))
    return lines["product_id"].nunique() + accounts + positions + 3 * baskets_count + coupons


def last_baskets_at(tables: Tables, baskets_count: int) -> int:
    """The second when the last so many baskets begin; at most a quarter of the window's."""
    at = tables.lines.drop_duplicates("basket_id")["at"].to_numpy().astype("int64")
    kept = min(baskets_count, len(at) // 4)
    return int(at[-kept]) if kept else OPENS_AT_S + 2 * 366 * 24 * HOUR_S


def opening(tables: Tables) -> Iterator[Timed]:
    """What exists before the year: items, places and all members."""
    for fact in catalog.item_facts(tables):
        yield OPENS_AT_S - CATALOG_BEFORE_S, fact
    for fact in catalog.place_facts(tables):
        yield OPENS_AT_S - CATALOG_BEFORE_S, fact
    at_s = OPENS_AT_S - MEMBERS_BEFORE_S
    for household in households.households(tables):
        for fact in households.member_facts(household):
            yield at_s, fact
            at_s += 1


def trading(tables: Tables, seed: int) -> Iterator[Timed]:
    """Coupons of the running campaigns, the opening count, orders and redemptions, by time."""
    people = {household.number: household for household in households.households(tables)}
    return heapq.merge(
        campaigns.issue_facts(tables, people),
        _counts(tables, seed),
        _orders(tables),
        campaigns.redemption_facts(tables, people),
        key=itemgetter(0),
    )


def _counts(tables: Tables, seed: int) -> Iterator[Timed]:
    counted_s = int(tables.window.starts_at.timestamp()) - COUNT_BEFORE_S
    positions = catalog.opening_stock(tables, seed)
    for fact in catalog.count_facts(tables, positions, counted_s):
        yield counted_s, fact


def _orders(tables: Tables) -> Iterator[Timed]:
    """Baskets come by time, but the steps of one order outlast the start of the next."""
    waiting: list[tuple[int, int, Fact]] = []
    serial = 0
    for basket in baskets.baskets(tables):
        while waiting and waiting[0][0] <= basket.at_s:
            at_s, _, fact = heapq.heappop(waiting)
            yield at_s, fact
        for at_s, fact in baskets.order_facts(basket):
            heapq.heappush(waiting, (at_s, serial, fact))
            serial += 1
    while waiting:
        at_s, _, fact = heapq.heappop(waiting)
        yield at_s, fact
