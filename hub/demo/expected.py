"""What the marts must hold after a feed, as the adapter's own tables say; and how far they do.

This is the demo's own comparison, key by key. The strict proof is a test that computes it from
the data set by independent code.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from hub.demo import campaigns, catalog
from hub.demo.households import account, households
from hub.demo.source import CHANNELS, Tables

STATEMENT_TIMEOUT_MS = 120_000
SHOWN_MAX = 3


@dataclass(frozen=True)
class Expected:
    """Keys and values that the marts must have for the journey's channels.

    orders: number -> (lines, gross, discount, total, paid in cents); points: (channel, account) ->
    balance; stock: (sku, place) -> thousandths left; coupons: code -> uses redeemed; households:
    (channel, account) -> household.
    """

    orders: dict[str, tuple[int, int, int, int, int]]
    points: dict[tuple[str, str], int]
    stock: dict[tuple[str, str], int]
    coupons: dict[str, int]
    households: dict[tuple[str, str], int]


def expected(tables: Tables, seed: int) -> Expected:
    """What feeding `tables` must leave."""
    points: dict[tuple[str, str], int] = defaultdict(int)
    orders: dict[str, tuple[int, int, int, int, int]] = {}
    grouped = tables.lines.assign(discount=tables.lines["loyalty"] + tables.lines["match"]).groupby(
        ["basket_id", "household_id", "store_id"], sort=False
    )
    sums = grouped[["gross", "discount", "total"]].sum().assign(lines=grouped.size())
    for row in sums.itertuples():
        number, household, store = row.Index
        orders[str(number)] = (
            int(row.lines), int(row.gross), int(row.discount), int(row.total), int(row.total)
        )  # fmt: skip
        channel = tables.channel_of_store[store]
        points[channel, account(channel, household)] += int(row.total) // 100
    positions = catalog.opening_stock(tables, seed)
    uses = dict.fromkeys(map(campaigns.code, campaigns.held_coupons(tables)), 0)
    for redemption in campaigns.redemptions(tables):
        uses[campaigns.code(redemption.held)] += 1
    return Expected(
        orders=orders,
        points={key: value for key, value in points.items() if value},
        stock={key: left for key, (_, left) in positions.items()},
        coupons=uses,
        households={
            (channel, account(channel, household.number)): household.number
            for household in households(tables)
            for channel in household.shops
        },
    )


@dataclass
class Comparison:
    """How many keys were compared, how many are equal, and the first that are not."""

    keys: int = 0
    equal: int = 0
    members: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """Share of equal keys, 0 to 1."""
        return self.equal / self.keys if self.keys else 1.0

    def add(
        self, name: str, wanted: Mapping[Any, Any], found: Iterable[tuple[Hashable, Any]]
    ) -> None:
        """Compare a mart's rows with what is wanted, both ways."""
        seen = dict(found)
        unlike = [key for key, value in wanted.items() if seen.get(key) != value]
        foreign = [key for key in seen if key not in wanted]
        self.keys += len(wanted) + len(foreign)
        self.equal += len(wanted) - len(unlike)
        for key in [*unlike, *foreign][:SHOWN_MAX]:
            self.differences.append(f"{name} {key}: {seen.get(key)} instead of {wanted.get(key)}")


def compare(dsn: str, wanted: Expected) -> Comparison:
    """Compare the marts with what is expected. dsn: of a role that reads the marts."""
    comparison = Comparison()
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"
    with psycopg.connect(dsn, options=options, connect_timeout=10) as connection:

        def rows(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query.encode(), {"channels": list(CHANNELS)}).fetchall()

        comparison.add("order", wanted.orders, ((r[0], r[1:]) for r in rows(ORDERS)))
        comparison.add("points", wanted.points, (((r[0], r[1]), r[2]) for r in rows(POINTS)))
        comparison.add("stock", wanted.stock, (((r[0], r[1]), r[2]) for r in rows(STOCK)))
        comparison.add("coupon", wanted.coupons, ((r[0], r[1]) for r in rows(COUPONS)))
        _compare_members(comparison, wanted.households, rows(MEMBERS))
    return comparison


def _compare_members(
    comparison: Comparison,
    wanted: dict[tuple[str, str], int],
    found: list[tuple[Any, ...]],
) -> None:
    """An account is right if its member has exactly the accounts of its household."""
    member_of = {(channel, name): member for channel, name, member in found}
    accounts_of: dict[Any, set[tuple[str, str]]] = defaultdict(set)
    for key, member in member_of.items():
        accounts_of[member].add(key)
    of_household: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for key, household in wanted.items():
        of_household[household].add(key)
    comparison.members = len(accounts_of)
    comparison.add(
        "account",
        {key: sorted(of_household[household]) for key, household in wanted.items()},
        ((key, sorted(accounts_of[member])) for key, member in member_of.items()),
    )


ORDERS = """
    select
        o.order_number, coalesce(l.lines, 0), o.gross_minor, o.discount_minor, o.total_minor,
        o.paid_minor
    from marts.orders o
    left join (select order_id, count(*) as lines from marts.order_lines group by 1) l
        using (order_id)
    where o.channel = any(%(channels)s)
"""
POINTS = """
    select i.channel, i.account, b.balance_points
    from marts.points_balances b join marts.member_identities i using (profile_id)
    where i.channel = any(%(channels)s) and b.issued_points <> 0
"""
STOCK = """
    select sku, place, (on_hand_quantity * 1000)::bigint from marts.stock_positions
    where place ~ '^[0-9]+$'
"""
COUPONS = """
    select code, live_redemption_count from marts.coupons where code ~ '^C[0-9]{2}-'
"""
MEMBERS = """
    select channel, account, member_id from marts.member_identities
    where channel = any(%(channels)s)
"""
