"""Random members shown, ruled about and erased, in any order and any batches, are those of a small
model that knows nothing of Postgres.

HUB_SEEDS sets how many worlds are tried, HUB_SEED_FIRST the first of them.
"""

import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from hub.domain import ids
from hub.testing import Database
from tests.consistency.test_any_order import World, shuffled
from tests.event_maker import Shop

SEEDS = int(os.environ.get("HUB_SEEDS", "12"))
SEED_FIRST = int(os.environ.get("HUB_SEED_FIRST", "0"))
SHUFFLES = 3
STRENGTH = ("unionid", "phone", "email")
DAYS_ALIKE = 90
Account = tuple[str, str]


class Groups:
    """Accounts united one by one, unless that brings two together who are to stay apart."""

    def __init__(self, accounts: set[Account], apart: list[frozenset[Account]]) -> None:
        self.sets = [{account} for account in accounts]
        self._apart = apart

    def of(self, account: Account) -> set[Account]:
        return next(one for one in self.sets if account in one)

    def unite(self, a: Account, b: Account) -> bool:
        both = self.of(a) | self.of(b)
        if self.of(a) is not self.of(b) and not any(pair <= both for pair in self._apart):
            self.sets = [one for one in self.sets if not one & both] + [both]
        return self.of(a) is self.of(b)


@dataclass
class Model:
    """What happened, and the members it makes."""

    shown: dict[tuple[Account, str, str], list[int]] = field(default_factory=dict)
    ruled: dict[frozenset[Account], tuple[int, bool]] = field(default_factory=dict)
    erased: dict[Account, int] = field(default_factory=dict)
    accounts: set[Account] = field(default_factory=set)

    def members(self) -> set[frozenset[Account]]:
        said = {
            pair: word
            for pair, word in self.ruled.items()
            if all(word[0] > self.erased.get(account, -1) for account in pair)
        }
        groups = Groups(self.accounts, [pair for pair, (_, is_one) in said.items() if not is_one])
        ones = [(when, order(pair), pair) for pair, (when, is_one) in said.items() if is_one]
        for _, _, pair in sorted(ones, key=lambda one: one[:2]):
            groups.unite(*pair)
        held = {
            at: min(times)
            for at, every in self.shown.items()
            if (times := [t for t in every if t > self.erased.get(at[0], -1)])
        }
        for strength in STRENGTH:
            rows = [(t, v, ids.profile_id(*a), a) for (a, k, v), t in held.items() if k == strength]
            self._share(groups, strength, [(v, a) for _, v, _, a in sorted(rows)], set(held))
        return {frozenset(one) for one in groups.sets}

    def _share(
        self,
        groups: Groups,
        strength: str,
        rows: list[tuple[str, Account]],
        held: set[tuple[Account, str, str]],
    ) -> None:
        def unionids(account: Account) -> set[str]:
            mates = groups.of(account)
            return {value for a, kind, value in held if kind == "unionid" and a in mates}

        firsts: dict[str, list[Account]] = {}
        for value, account in rows:
            known = firsts.setdefault(value, [])
            if any(groups.of(account) is groups.of(first) for first in known):
                continue
            if len(known) == 1:
                ours, theirs = unionids(account), unionids(known[0])
                is_other = strength != "unionid" and ours and theirs and not ours & theirs
                if not is_other and groups.unite(account, known[0]):
                    continue
            known.append(account)


def order(pair: frozenset[Account]) -> list[bytes]:
    return sorted(ids.profile_id(*account) for account in pair)


def world(seed: int) -> tuple[list[bytes], Model]:
    """Events of one random world, and the model of it. All times differ."""
    chance = random.Random(seed)
    shops = {channel: Shop(channel) for channel in ("web", "mini", "store")}
    accounts = [(channel, f"a-{n}") for channel in shops for n in range(3)]
    times = iter(chance.sample(range(DAYS_ALIKE * 24), 60))
    model, bodies = Model(), []
    for _ in range(chance.randint(10, 40)):
        one, other = chance.sample(accounts, 2)
        minute = next(times)
        model.accounts.add(one)
        likely = chance.random()
        if likely < 0.7:
            kind = chance.choice(STRENGTH)
            value = f"p{chance.randrange(3)}@example.com"
            if kind == "phone":
                value = f"1391234567{chance.randrange(3)}"
            shown = [{"type": kind, "value": value, "proof": "verified"}]
            data = {"account": one[1], "identifiers": shown}
            bodies.append(shops[one[0]].body("member.identified", minute, **data))
            model.shown.setdefault((one, kind, value), []).append(minute)
        elif likely < 0.92:
            is_one = chance.random() < 0.4
            model.accounts.add(other)
            named = {"account": one[1], "other": {"channel": other[0], "account": other[1]}}
            kind = "member.merged" if is_one else "member.split"
            bodies.append(shops[one[0]].decision(kind, minute, **named))
            pair = frozenset((one, other))
            model.ruled[pair] = max(model.ruled.get(pair, (-1, False)), (minute, is_one))
        else:
            bodies.append(shops[one[0]].decision("member.erased", minute, account=one[1]))
            model.erased[one] = max(model.erased.get(one, -1), minute)
    return bodies, model


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[World]:
    opened = World(database)
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.timeout(60 + SEEDS * 20)
async def test_random_members_in_any_order_are_those_of_a_small_model(stage: World) -> None:
    failures = []
    for seed in range(SEED_FIRST, SEED_FIRST + SEEDS):
        bodies, model = world(seed)
        named = {ids.profile_id(*account): account for account in model.accounts}
        digests = []
        for shuffle in range(SHUFFLES):
            digests.append(await stage.run(shuffled(bodies, seed * SHUFFLES + shuffle)))
            rows = await stage.rows("select profile_id, member_id from profiles")
            found: dict[bytes, set[Account]] = {}
            for row in rows:
                found.setdefault(row["member_id"], set()).add(named[row["profile_id"]])
            if {frozenset(one) for one in found.values()} != model.members():
                failures.append(f"seed {seed}.{shuffle}: {found} instead of {model.members()}")
            if broken := await stage.broken():
                failures.append(f"seed {seed}.{shuffle}: {broken}")
        differing = {table for one in digests for table in one if one[table] != digests[0][table]}
        if differing:
            failures.append(f"seed {seed}: {differing} differ")
    assert not failures, "\n".join(failures)
