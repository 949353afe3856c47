"""Points and decisions about them in any order, repeated, in any batches: one state.

The day has everything that depends on time: points that wait for the end of a return period, points
that end, holds that are captured, voided and time out, days that are closed, and late events.
People are merged and parted again, and have levels that multiply what they earn and are reviewed.
HUB_SEEDS sets how many shuffles are tried.
"""

import os
import random
from datetime import timedelta

import msgspec
import pytest

from hub.domain import decisions, earning, ids
from hub.domain.decisions import Decision
from hub.store import apply, check, db
from hub.store.digest import digest
from hub.store.sealing import Vault
from hub.testing import Database
from tests.event_maker import Shop, at, line, record

SEEDS = int(os.environ.get("HUB_SEEDS", "12"))
VARIANTS = 4
PROFILES = (("web", "a-1"), ("web", "a-2"), ("mini", "a-1"))
RULES = {
    "zone": "Asia/Shanghai",
    "rules": [
        {
            "version": "v1",
            "reason": "Points wait for three days after the goods were handed over.",
            "valid_from": "2026-01-01T00:00:00+08:00",
            "points_per_unit": 1,
            "return_days": 3,
            "category_return_days": {"cake": 0},
            "expires_days": 5,
            "grace_days": 2,
        },
        {
            "version": "v2",
            "reason": "A day that counts double.",
            "valid_from": "2026-03-03T00:00:00+08:00",
            "points_per_unit": 1,
            "date_factors_milli": {"2026-03-03": 2000},
            "expires_days": 2,
        },
    ],
}

PUBLISHED = {
    "points_per_unit": 2,
    "category_factors_milli": {"toy": 500},
    "return_days": 1,
    "grace_days": 1,
}
CLUB = {
    "basis": "growth",
    "window_days": 2,
    "validity_days": 2,
    "grace_days": 1,
    "levels": [
        {"name": "silver", "threshold": 60, "points_factor_milli": 1500},
        {"name": "gold", "threshold": 130, "points_factor_milli": 2000},
    ],
}
NET_PAID = {
    "basis": "net_paid",
    "currency": "CNY",
    "levels": [{"name": "gold", "threshold": 10_000, "points_factor_milli": 3000}],
}


@pytest.fixture(autouse=True)
def _two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earning, "SCHEME", earning.read(msgspec.json.encode(RULES)))


class Day:
    """Some days of one variant, as events and decisions."""

    def __init__(self, variant: int) -> None:
        self.chance = random.Random(variant)
        self.bodies: list[bytes] = []
        self._numbers = 0

    def decide(self, kind: str, minute: int, subject: str, /, **data: object) -> None:
        self._numbers += 1
        decision = Decision(kind, "web", "1", subject, data)
        self.bodies.append(decisions.cloud_event(decision, f"d-{self._numbers}", at(minute)))

    def minute(self, earliest: int = 0, days: int = 7) -> int:
        return earliest + 60 * self.chance.randrange(24 * days)

    def orders(self) -> None:
        for number in range(6):
            channel, account = self.chance.choice(PROFILES)
            shop, minute = Shop(channel, numbers=iter(range(number * 10, 10**6))), self.minute()
            category = self.chance.choice(("cake", "toy", None))
            one = line(1, "thing", 1, "100.00") | ({"category": category} if category else {})
            named = {"order_number": f"n-{number}"}
            content = {"currency": "CNY", "lines": [one], "total": "100.00"}
            buyer = {"buyer": {"account": account}}
            money = {"amount": "100.00", "currency": "CNY"}
            pay = money | {"method": "wx", "payment_id": "p"}
            self.bodies += [
                shop.body("order.placed", minute, **named, **content, **buyer),
                shop.body("order.paid", minute + 1, **named, **pay),
            ]
            if self.chance.random() < 0.7:
                self.bodies.append(shop.body("order.picked_up", self.minute(minute), **named))
            if self.chance.random() < 0.4:
                back = {"refund_id": "r", "amount": "33.40", "currency": "CNY"}
                self.bodies.append(
                    shop.body("refund.succeeded", self.minute(minute), **named, **back)
                )

    def spendings(self) -> None:
        for number in range(5):
            named = {"order_number": f"n-{number}"}
            shop = Shop("web", numbers=iter(range(1000 + number * 10, 10**6)))
            minute = self.minute()
            points = self.chance.randint(1, 60)
            claim = named | {"account": "a-1", "points": self.chance.choice((points, points, 7))}
            if self.chance.random() < 0.6:
                self.bodies.append(shop.body("points.redeemed", self.minute(minute, 2), **claim))
            if self.chance.random() < 0.5:
                back = named | {"points": self.chance.randint(1, points)}
                self.bodies.append(shop.body("points.returned", self.minute(minute), **back))
            taking = named | {"account": "a-1", "points": points, "shares": self._shares(points)}
            if self.chance.random() < 0.5:
                self.decide("points.spent", minute, f"n-{number}", **taking)
                continue
            hold = named | {"hold_id": f"h-{number}"}
            over = at(minute) + timedelta(days=1)
            self.decide("hold.placed", minute, f"n-{number}", **(taking | hold), expires_at=over)
            for kind in self.chance.sample(("captured", "voided", "expired"), 2):
                more = {"points": self.chance.randint(1, points)} if kind == "captured" else {}
                end = self.minute(minute, 3)
                self.decide(f"hold.{kind}", end, f"n-{number}", **hold, **more)

    def _shares(self, points: int) -> list[dict[str, object]]:
        own = self.chance.randint(0, points)
        names = [ids.text(ids.profile_id(*one)) for one in self.chance.sample(PROFILES, 2)]
        return [
            {"profile_id": name, "points": share}
            for name, share in zip(names, (own, points - own), strict=True)
        ]

    def accounts(self) -> None:
        shop = Shop("web", numbers=iter(range(5000, 10**6)))
        for kind, points in (("earned", 40), ("adjusted", -25), ("redeemed", 30), ("earned", 9)):
            ends = {"expires_at": at(self.minute()).isoformat()} if kind == "earned" else {}
            self.bodies.append(
                shop.body(f"points.{kind}", self.minute(), account="a-1", points=points, **ends)
            )
        for channel, account in PROFILES:
            name = ids.text(ids.profile_id(channel, account))
            for _ in range(2):
                through = at(self.minute())
                self.decide("points.closed", 1, name, profile_id=name, through=through)

    def rules(self) -> None:
        """A version for the last days, of which some hear before the orders and some after."""
        said = {"kind": "points_rules", "name": "default", "document": PUBLISHED, "reason": "-"}
        self.decide("config.published", 4 * 24 * 60, "points_rules/default", **said)

    def people(self) -> None:
        for kind in ("merged", "split", "merged", "split"):
            account, other = self.chance.choice((("a-1", PROFILES[2]), ("a-2", PROFILES[0])))
            named = {"account": account, "other": {"channel": other[0], "account": other[1]}}
            self.decide(f"member.{kind}", self.minute(), account, **named)

    def club(self) -> None:
        for basis, minute in (("growth", -60), ("net_paid", 3 * 24 * 60)):
            document = CLUB | ({"basis": basis} if basis == "growth" else NET_PAID)
            said = {"kind": "tier_scheme", "name": "club", "document": document, "reason": "-"}
            self.decide("config.published", minute, "tier_scheme/club", **said)
        for channel, account in PROFILES:
            name = ids.text(ids.profile_id(channel, account))
            through = at(self.minute())
            data = {"profile_id": name, "scheme": "club", "through": through}
            self.decide("tier.reviewed", 2, name, **data)


def events(variant: int) -> list[bytes]:
    day = Day(variant)
    day.people()
    day.club()
    day.orders()
    day.spendings()
    day.accounts()
    day.rules()
    return day.bodies


async def _told(
    connection: db.Connection, vault: Vault, bodies: list[bytes], chance: random.Random
) -> dict[str, str]:
    while bodies:
        size = chance.choice((1, 3, 20))
        batch, bodies = bodies[:size], bodies[size:]
        async with connection.transaction():
            records = [record(body, now=None) for body in batch]
            await apply.apply(connection, vault, records, "test-cluster")
    return await digest(connection)


@pytest.mark.timeout(60 + SEEDS * 10)
async def test_points_told_in_any_order_end_in_the_same_state(database: Database) -> None:
    connection = await db.connect(database.dsn("owner"))
    vault = Vault(database.settings.secret())
    tables = await connection.fetchval(
        "select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables"
        " where schemaname in ('hub', 'log')"
    )
    wanted: dict[int, dict[str, str]] = {}
    for seed in range(SEEDS):
        chance, variant = random.Random(seed), seed % VARIANTS
        bodies = events(variant)
        if variant in wanted:
            bodies += chance.choices(bodies, k=10)
            chance.shuffle(bodies)
        await connection.execute(f"truncate {tables}")
        found = await _told(connection, vault, bodies, chance)
        wanted.setdefault(variant, found)
        differing = [table for table in found if found[table] != wanted[variant][table]]
        broken = [r for r in await check.run(database.dsn("writer")) if r.violations]
        assert not differing, f"seed {seed}: {differing}"
        assert not broken, f"seed {seed}"
    await connection.close()
