"""What the levels of members follow from, over all their profiles. Nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain import tiers
from hub.domain.documents import Version
from hub.domain.ids import Key
from hub.domain.paid_levels import memberships
from hub.domain.tier_gifts import Issued
from hub.domain.tier_points import Schemes
from hub.domain.tier_schemes import Scheme
from hub.domain.tier_standing import Fact, Standing
from hub.store.db import Connection, queries


class Person(Struct):
    """What a member's levels follow from, over all profiles. orders: (buyer, order)."""

    profiles: list[Key]
    facts: list[Fact]
    reviewed_at: dict[str, datetime]
    gifts: dict[str, list[Issued]]
    bought: dict[Key, list[tuple[str, int]]]
    orders: set[tuple[Key, Key]]

    def told_until(self, scheme: str) -> datetime | None:
        """Up to when the levels are told: the last fact, or the last review after a first one."""
        last = max((fact.at for fact in self.facts), default=None)
        if last is None or scheme not in self.reviewed_at:
            return last
        return max(last, self.reviewed_at[scheme])

    def standing(self, versions: Sequence[Version[Scheme]], until: datetime) -> Standing:
        return tiers.tell(
            self.facts, memberships(self.facts, self.bought, versions), versions, until
        )


async def load(
    connection: Connection, schemes: Schemes, members: Mapping[Key, list[Key]]
) -> dict[Key, Person]:
    """What the levels of these members follow from; members: member -> all its profiles."""
    people = {
        m: Person(sorted(p), [], {}, defaultdict(list), {}, set()) for m, p in members.items()
    }
    of = {profile: people[member] for member, mates in members.items() for profile in mates}
    sql, profiles = queries("tiers"), sorted(of)
    for row in await connection.fetch(sql["facts"], profiles):
        if row["order_id"] is not None:
            of[row["profile_id"]].orders.add((row["profile_id"], row["order_id"]))
        of[row["profile_id"]].facts.append(
            Fact(
                row["occurred_at"],
                row["event_key"],
                row["growth"],
                row["amount_minor"],
                row["currency"],
                row["order_id"],
            )
        )
    for row in await connection.fetch(sql["reviews"], profiles):
        known = of[row["profile_id"]].reviewed_at
        at: datetime = row["reviewed_at"]
        known[row["scheme"]] = max(at, known.get(row["scheme"], at))
    for row in await connection.fetch(sql["gifts"], profiles):
        period = (row["level"], row["reached_at"], row["valid_until"])
        gift = Issued(*period, row["code"], row["recalled_at"] is not None)
        of[row["profile_id"]].gifts[row["scheme"]].append(gift)
    await _load_bought(connection, schemes, people.values())
    return people


async def _load_bought(connection: Connection, schemes: Schemes, people: Iterable[Person]) -> None:
    """Which orders hold a paid membership; nothing is read where no scheme has one."""
    skus = {paid.sku for one in schemes.values() for v in one for paid in v.document.paid}
    if not skus:
        return
    buyers = {
        fact.order_id: person
        for person in people
        for fact in person.facts
        if fact.order_id is not None
    }
    rows = await connection.fetch(queries("tiers")["bought"], sorted(buyers), sorted(skus))
    for row in rows:
        held = buyers[row["order_id"]].bought.setdefault(row["order_id"], [])
        held.append((row["sku"], row["quantity_milli"] // 1000))
