"""Levels against a clerk who looks at a member every half day and writes down the level alone, with
since when and until when: whatever is told, in whatever order, reviewed late or twice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain import paid_levels, tier_schemes, tiers
from hub.domain.documents import Version
from hub.domain.tier_standing import Award, Fact, Standing

START = datetime(2026, 3, 1, tzinfo=UTC)
LAST = 60
HALVES = st.integers(1, LAST)
"""Half days: something happens at most once in each."""
GIFT: dict[str, Any] = {"template": "cake", "valid_days": 30}
_GIFT = tier_schemes.Gift(**GIFT)
LADDERS: list[list[tuple[str, int, bool]]] = [
    [("silver", 100, False), ("gold", 300, True)],
    [("silver", 50, True), ("gold", 150, True), ("lead", 400, False)],
    [("bronze", 10, False), ("gold", 200, False)],
]
"""(level, threshold, whether it brings a gift) of the schemes to choose from."""
VIP_DAYS = 6


@dataclass(frozen=True)
class Rules:
    """One version as the clerk reads it; days, but starts in half days."""

    starts: int
    ladder: int
    is_net_paid: bool
    window: int | None
    validity: int | None
    grace: int
    at_once: bool

    @property
    def levels(self) -> list[tuple[str, int, bool]]:
        return LADDERS[self.ladder]

    def document(self) -> dict[str, Any]:
        scale = 100 if self.is_net_paid else 1
        levels = [
            {"name": name, "threshold": threshold * scale} | ({"gift": GIFT} if brings else {})
            for name, threshold, brings in self.levels
        ]
        basis = {"basis": "net_paid", "currency": "CNY"} if self.is_net_paid else {}
        paid = [{"sku": "vip", "level": "gold", "days": VIP_DAYS}]
        said = {"basis": "growth", "levels": levels, "zone": "UTC", "paid": paid} | basis
        kept = {"window_days": self.window, "validity_days": self.validity}
        said |= {name: days for name, days in kept.items() if days is not None}
        if self.validity is not None:
            after = "at_once" if self.at_once else "at_review"
            said |= {"grace_days": self.grace, "after_refund": after}
        return said

    def rank(self, level: str | None) -> int:
        names = [name for name, _, _ in self.levels]
        return names.index(level) if level in names else -1

    def end(self, now: int) -> int | None:
        return (now // 2 + self.validity + 1) * 2 if self.validity is not None else None


@dataclass
class Given:
    """A gift as the clerk notes it."""

    level: str
    since: int
    until: int | None
    recalled: int | None = None


@dataclass
class Clerk:
    """Looks every half day. told: half day -> growth; vip: half day -> when it was refunded."""

    told: dict[int, int]
    versions: Sequence[Rules]
    vip: dict[int, int | None]
    level: str | None = None
    since: int = 0
    valid_until: int | None = None
    shown: str | None = None
    changes: list[tuple[int, str | None]] = field(default_factory=list)
    gifts: list[Given] = field(default_factory=list)

    def look_until(self, until: int) -> "Clerk":
        seen = None
        for now in range(until + 1):
            rules = next((r for r in reversed(self.versions) if r.starts <= now), None)
            if rules is None:
                continue
            self._look(now, rules, is_new=rules is not seen)
            seen = rules
        return self

    def _value(self, now: int, rules: Rules, since: int | None = None) -> int:
        start = -1
        if rules.window is not None:
            start = (now if since is None else since) - rules.window * 2
        return sum(growth for when, growth in self.told.items() if start < when <= now)

    def _wanted(self, now: int, rules: Rules, since: int | None = None) -> int:
        value = self._value(now, rules, since)
        return sum(threshold <= value for _, threshold, _ in rules.levels) - 1

    def _look(self, now: int, rules: Rules, *, is_new: bool) -> None:
        if rules.validity is None:
            self.valid_until = None
        elif is_new and self.level is not None and self.valid_until is None:
            self.valid_until = rules.end(now)
        change = self.told.get(now, 0)
        wanted, held = self._wanted(now, rules), rules.rank(self.level)
        if wanted > held and (change > 0 or is_new):
            self._move(now, rules, wanted)
            self._give(now, rules, wanted)
        elif (wanted < held and self._is_lost(now, rules, change)) or (
            held < 0 and self.level is not None
        ):
            self._move(now, rules, wanted)
        elif 0 <= held <= wanted and self.valid_until is not None and now >= self.valid_until:
            self.valid_until = rules.end(now)
        if change < 0:
            self._recall(now, rules)
        self._show(now, rules)

    def _is_lost(self, now: int, rules: Rules, change: int) -> bool:
        if self.valid_until is None or now >= self.valid_until + rules.grace * 2:
            return True
        is_undone = self._wanted(now, rules, self.since) < rules.rank(self.level)
        return change < 0 and rules.at_once and is_undone

    def _move(self, now: int, rules: Rules, rank: int) -> None:
        self.level = rules.levels[rank][0] if rank >= 0 else None
        self.since = now
        self.valid_until = rules.end(now) if rank >= 0 else None

    def _give(self, now: int, rules: Rules, rank: int) -> None:
        name, _, brings = rules.levels[rank]
        held = [one for one in self.gifts if one.level == name]
        if brings and not any(one.until is None or now < one.until for one in held):
            self.gifts.append(Given(name, now, self.valid_until))

    def _recall(self, now: int, rules: Rules) -> None:
        for one in self.gifts:
            is_over = one.until is not None and now >= one.until
            is_undone = self._wanted(now, rules, one.since) < rules.rank(one.level)
            if one.recalled is None and not is_over and is_undone:
                one.recalled = now

    def _show(self, now: int, rules: Rules) -> None:
        free = 0
        ranks = [rules.rank(self.level)]
        for since, refunded in sorted(self.vip.items()):
            start = max(since, free)
            end = min(start + VIP_DAYS * 2, LAST * 9 if refunded is None else refunded)
            if end > start:
                free = end
                ranks += [rules.rank("gold")] if start <= now < end else []
        level = rules.levels[max(ranks)][0] if max(ranks) >= 0 else None
        if level != self.shown:
            self.shown = level
            self.changes.append((now, level))


def half(number: float) -> datetime:
    return START + timedelta(hours=12 * number)


VERSIONS = st.builds(
    Rules,
    starts=st.integers(0, LAST),
    ladder=st.integers(0, len(LADDERS) - 1),
    is_net_paid=st.booleans(),
    window=st.sampled_from([None, 8, 20]),
    validity=st.sampled_from([None, 5, 12]),
    grace=st.sampled_from([0, 4]),
    at_once=st.booleans(),
)


class TierMachine(RuleBasedStateMachine):
    """Tells the hub and the clerk the same, most of it late."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, int] = {}
        self.orders: dict[int, int] = {}
        self.vip: dict[int, int | None] = {}
        self.versions: list[Rules] = []
        self.until = 0

    def _is_free(self, when: int) -> bool:
        return when not in self.told and all(one.starts != when for one in self.versions)

    @rule(when=HALVES, growth=st.integers(-150, 250).filter(bool))
    def growth_comes_or_goes(self, when: int, growth: int) -> None:
        if self._is_free(when):
            self.told[when] = growth

    @rule(when=HALVES, growth=st.integers(1, 60))
    def a_level_is_bought(self, when: int, growth: int) -> None:
        if self._is_free(when):
            self.told[when] = growth
            self.vip[when] = None

    @precondition(lambda self: any(over is None for over in self.vip.values()))
    @rule(later=st.integers(1, 30))
    def a_bought_level_is_refunded(self, later: int) -> None:
        when = min(since for since, over in self.vip.items() if over is None)
        if self._is_free(when + later):
            self.told[when + later] = -self.told[when]
            self.orders[when + later] = when
            self.vip[when] = when + later

    @rule(rules=VERSIONS)
    def a_version_is_published(self, rules: Rules) -> None:
        if self._is_free(rules.starts):
            self.versions = sorted([*self.versions, rules], key=lambda one: one.starts)

    @rule(days=st.integers(0, 12))
    def the_member_is_reviewed(self, days: int) -> None:
        """Late, or again at the same time."""
        self.until = min(self.until + days * 2, LAST)

    def tell(self, until: int, seed: int = 0) -> Standing:
        facts = [
            Fact(half(at), at.to_bytes(16), g, g * 100, "CNY", self._order(at))
            for at, g in self.told.items()
            if at <= until
        ]
        random.Random(seed).shuffle(facts)
        versions = [
            Version(number, half(one.starts), tier_schemes.read(one.document()))
            for number, one in enumerate(self.versions, start=1)
        ]
        bought = {since.to_bytes(16): [("vip", 1)] for since in self.vip}
        held = paid_levels.memberships(facts, bought, versions)
        return tiers.tell(facts, held, versions, half(until))

    def _order(self, at: int) -> bytes | None:
        since = self.orders.get(at, at)
        return since.to_bytes(16) if since in self.vip else None

    def _clerk(self) -> Clerk:
        known = {at: growth for at, growth in self.told.items() if at <= self.until}
        vip = {
            since: over if over is not None and over <= self.until else None
            for since, over in self.vip.items()
            if since <= self.until
        }
        return Clerk(known, self.versions, vip).look_until(self.until)

    @invariant()
    def the_clerk_agrees(self) -> None:
        standing, clerk = self.tell(self.until), self._clerk()
        assert standing.level == clerk.shown
        assert [(one.at, one.level) for one in standing.changes] == [
            (half(at), level) for at, level in clerk.changes
        ]
        assert standing.valid_until == _time(clerk.valid_until)
        assert standing.awards == [
            Award(one.level, _GIFT, half(one.since), _time(one.until), _time(one.recalled))
            for one in clerk.gifts
        ]

    @invariant()
    def any_order_of_arrival_is_the_same(self) -> None:
        assert self.tell(self.until, seed=7) == self.tell(self.until)

    @invariant()
    def a_review_that_was_skipped_is_caught_up(self) -> None:
        """What was told before stays, and nothing happens before it was said to be due."""
        earlier, whole = self.tell(self.until // 2), self.tell(self.until)
        known = len(earlier.changes)
        assert whole.changes[:known] == earlier.changes
        is_quiet = all(at <= self.until // 2 or at > self.until for at in self.told)
        if is_quiet and known < len(whole.changes):
            assert earlier.due_at is not None
            assert earlier.due_at <= whole.changes[known].at


def _time(number: int | None) -> datetime | None:
    return half(number) if number is not None else None


TestTierMachine = TierMachine.TestCase
