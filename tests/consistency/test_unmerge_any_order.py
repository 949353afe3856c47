"""A merge that is undone after much has happened gives each their own, whatever was heard first.

HUB_SEEDS sets how many orders of arrival are tried.
"""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.domain import ids
from hub.testing import Database
from tests.consistency.test_any_order import World, in_time, shuffled
from tests.event_maker import Shop, line

SEEDS = int(os.environ.get("HUB_SEEDS", "6"))
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
EMAIL = {"type": "email", "value": "m@example.com", "proof": "verified"}
CARD = {"type": "card", "value": "C-100", "proof": "verified"}
CLUB = {"basis": "growth", "levels": [{"name": "gold", "threshold": 100}]}
CNY = {"currency": "CNY"}
OWN = """
select
    p.channel,
    (select array_agg(mates.channel order by mates.channel) from profiles as mates
     where mates.member_id = p.member_id) as member,
    coalesce(a.open_points, 0)::int as open,
    coalesce(a.spent_points, 0)::int as spent,
    coalesce(a.debt_points, 0)::int as debt,
    (select array_agg(c.code order by c.code) from coupons as c
     where c.profile_id = p.profile_id) as coupons,
    (select array_agg(o.order_number order by o.order_number) from orders as o
     where o.profile_id = p.profile_id) as orders,
    (select t.level from member_tiers as t where t.member_id = p.member_id) as level
from profiles as p
left join points_accounts as a on p.profile_id = a.profile_id
order by p.channel
"""


class Life:
    """What two persons did while they were taken for one, and after."""

    def __init__(self) -> None:
        self.web, self.mini, self.till = Shop("web"), Shop("mini"), Shop("store")
        self.bodies: list[bytes] = []

    def shows(self, shop: Shop, minute: float, *identifiers: dict[str, str]) -> None:
        data = {"account": "a", "identifiers": identifiers}
        self.bodies.append(shop.body("member.identified", minute, **data))

    def said(self, kind: str, minute: float) -> None:
        other = {"channel": "mini", "account": "a"}
        self.decided(self.web, f"member.{kind}", minute, account="a", other=other)

    def decided(self, shop: Shop, kind: str, minute: float, /, **data: Any) -> None:
        self.bodies.append(shop.decision(kind, minute, **data))

    def happened(self, shop: Shop, kind: str, minute: float, /, **data: Any) -> None:
        self.bodies.append(shop.body(kind, minute, **data))

    def bought(self, shop: Shop, minute: float, number: str, yuan: int) -> None:
        amount = f"{yuan}.00"
        content = {"lines": [line(1, "cake", 1, amount)], "total": amount} | CNY
        named = {"order_number": number}
        buyer = {"account": "a"}
        self.happened(shop, "order.placed", minute, **named, **content, buyer=buyer)
        paid = CNY | {"amount": amount, "method": "wx", "payment_id": f"p-{number}"}
        self.happened(shop, "order.paid", minute, **named, **paid)

    def spent(self, shop: Shop, minute: float, number: str, shares: dict[str, int]) -> None:
        listed = [
            {"profile_id": ids.text(ids.profile_id(channel, "a")), "points": points}
            for channel, points in shares.items()
        ]
        named = {"account": "a", "order_number": number, "points": sum(shares.values())}
        self.decided(shop, "points.spent", minute, **named, shares=listed)

    def before(self) -> None:
        """They are one by a shared number, and gold together."""
        said = {"kind": "tier_scheme", "name": "club", "document": CLUB, "reason": "-"}
        self.decided(self.web, "config.published", -60, **said)
        self.shows(self.web, 1, PHONE)
        self.shows(self.mini, 2, PHONE)
        for shop, points in ((self.web, 100), (self.mini, 50)):
            self.happened(shop, "points.earned", 3, account="a", points=points)
            self.happened(shop, "member.growth_earned", 3, account="a", growth=points)

    def together(self) -> None:
        """Each spends of the other's, orders, refunds, uses a coupon; a third account joins."""
        self.spent(self.web, 10, "w-1", {"web": 80, "mini": 30})
        self.spent(self.mini, 11, "m-1", {"web": 15, "mini": 5})
        self.bought(self.web, 12, "w-2", 60)
        self.bought(self.mini, 13, "m-2", 20)
        self.happened(
            self.web, "refund.succeeded", 15, order_number="w-2", refund_id="r", amount="20.00",
            **CNY,
        )  # fmt: skip
        for shop, code in ((self.web, "W"), (self.web, "W-TOO"), (self.mini, "M")):
            self.happened(shop, "coupon.issued", 16, code=code, kind="discount", account="a")
        # The coupon of the one, used by the other.
        used = {"code": "W", "redemption_id": "u", "order_number": "m-2", "account": "a"}
        self.happened(self.mini, "coupon.redeemed", 17, **used)
        self.shows(self.mini, 20, EMAIL)
        self.shows(self.till, 21, EMAIL, CARD)
        self.happened(self.till, "points.earned", 22, account="a", points=7)
        self.bought(self.till, 23, "t-1", 5)

    def after(self) -> None:
        """They are parted; points come back, more are spent, and new identifiers are shown."""
        self.said("split", 40)
        self.happened(self.web, "points.returned", 50, order_number="w-1", points=10)
        self.spent(self.mini, 51, "m-3", {"mini": 1})
        self.shows(self.web, 52, EMAIL)
        self.shows(self.web, 53, {"type": "card", "value": "C-200", "proof": "verified"})
        self.happened(
            self.mini, "refund.succeeded", 54, order_number="m-2", refund_id="r", amount="20.00",
            **CNY,
        )  # fmt: skip


def life() -> list[bytes]:
    told = Life()
    told.before()
    told.together()
    told.after()
    return told.bodies


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    opened = World(database)
    await opened.open()
    yield opened
    await opened.close()


async def own(world: World) -> dict[str, dict[str, Any]]:
    """What each account and its member have, by channel."""
    return {row["channel"]: dict(row) for row in await world.rows(OWN)}


async def test_unmerge_after_spending_spends_go_to_who_made_them_and_the_books_balance(
    world: World,
) -> None:
    """The shared remainder is split by the merge's manifest."""
    bodies = life()
    together = [body for body in bodies if b"member.split" not in body and b"m-3" not in body]
    await world.run([[together]])
    joint = await own(world)
    assert joint["web"]["member"] == ["mini", "store", "web"]
    assert joint["web"]["level"] == "gold"
    wanted = await world.run([[[body] for body in in_time(bodies)]])
    parted = await own(world)
    assert not (broken := await world.broken()), broken
    assert {
        name: (one["member"], one["open"], one["spent"], one["debt"])
        for name, one in parted.items()
    } == {
        # 100 earned and 40 for what was paid and kept; of 110 spent 10 came back.
        "web": (["web"], 40, 100, 0),
        # 50 earned, nothing for an order that was refunded; 20 and 1 spent.
        "mini": (["mini", "store"], 29, 21, 0),
        "store": (["mini", "store"], 12, 0, 0),
    }
    assert {name: (one["coupons"], one["orders"]) for name, one in parted.items()} == {
        "web": (["W", "W-TOO"], ["w-2"]),
        "mini": (["M"], ["m-2"]),
        "store": (None, ["t-1"]),
    }
    assert [parted[name]["level"] for name in ("web", "mini")] == ["gold", None]
    (user,) = await world.rows("select profile_id from coupon_redemptions")
    assert user["profile_id"] == ids.profile_id("mini", "a")
    (manifest,) = await world.rows("select * from member_merges where kind = 'split'")
    mine, others = ids.profile_id("web", "a"), {ids.profile_id(c, "a") for c in ("mini", "store")}
    groups = {frozenset(map(ids.parse, one)) for one in manifest["members_after"].values()}
    assert groups == {frozenset({mine}), frozenset(others)}
    for seed in range(SEEDS):
        found = await world.run(shuffled(bodies, seed))
        differing = [table for table, one in found.items() if one != wanted[table]]
        assert not differing, f"seed {seed}"
        assert not (broken := await world.broken()), f"seed {seed}: {broken}"
