"""Who is one person: profiles joined by what they share, as far as the policy and people say.

Pure, and a function of the set of facts alone: joins are tried from the strongest evidence to the
weakest, and one that would unite two persons is not made. So any order of events ends alike, and
a join is undone when what spoke for it is gone or something stronger speaks against it.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from hub.domain.ids import Key
from hub.domain.policy import Policy, TypeRule

JOINS, REVIEW, APART, CLOSED = "joins", "review", "apart", "closed"
OVERUSED, BLOCKED, DECLARED = "overused", "blocked", "declared"
"""What a held value does for its profile, or why it does not join it with others."""
SHARED, REASSIGNED = "identifier_shared", "identifier_reassigned"
TOO_MANY, CONTRADICTED = "identifier_overused", "rulings_contradict"
REVIEWS = (SHARED, REASSIGNED, TOO_MANY, CONTRADICTED)
"""Kinds of cases."""


Value = tuple[str, Key]
"""(type, keyed digest of the value)"""
At = tuple[Key, str, Key]
"""(profile, type, value)"""


class Holding(Struct, frozen=True):
    """A value that a profile proved to hold: `first_at` to `last_at` are the times of its proofs.

    scope: within what a person has one value of this type (the app of an openid).
    """

    profile: Key
    type: str
    value: Key
    first_at: datetime
    last_at: datetime
    scope: str = ""


class Ruling(Struct, frozen=True):
    """A person's word on two profiles: one and the same, or never to be joined."""

    left: Key
    right: Key
    is_one: bool
    at: datetime


class Facts(Struct, frozen=True):
    """All that is known of some profiles: profile -> its channel, what they hold, what was said.

    barred: values that join nobody, for the reason given; known to be overused without naming all
    who hold them.
    """

    channels: dict[Key, str]
    holdings: list[Holding]
    rulings: list[Ruling]
    barred: dict[Value, str] = {}


class Standing(Struct, frozen=True):
    """What a held value does for its profile; `valid_to` once another person has it."""

    name: str
    valid_to: datetime | None = None


class Review(Struct, frozen=True):
    """Evidence that a person has to look at: a value, or two rulings, and the profiles it is of."""

    kind: str
    type: str
    value: Key
    profiles: tuple[Key, ...]


class Resolution(Struct, frozen=True):
    """Each profile's member, what each held value does, and what people have to look at.

    A member is named by its smallest profile.
    """

    members: dict[Key, Key]
    standings: dict[At, Standing]
    reviews: list[Review]


class _Groups:
    """Profiles united so far; who must stay apart, and the values in which persons differ."""

    def __init__(self, facts: Facts) -> None:
        self._parent = {profile: profile for profile in facts.channels}
        self.profiles = {profile: {profile} for profile in facts.channels}
        self._enemies: dict[Key, set[Key]] = defaultdict(set)
        self._marks: dict[Key, dict[tuple[str, str], set[Key]]] = defaultdict(dict)
        for held in facts.holdings:
            if (held.type, held.value) in facts.barred:
                continue
            self._marks[held.profile].setdefault((held.type, held.scope), set()).add(held.value)
        for said in facts.rulings:
            if not said.is_one:
                self._enemies[said.left].add(said.right)
                self._enemies[said.right].add(said.left)

    def of(self, profile: Key) -> Key:
        """The smallest profile of its group."""
        while (above := self._parent[profile]) != profile:
            self._parent[profile] = self._parent[above]
            profile = above
        return profile

    def are_apart(self, a: Key, b: Key) -> bool:
        """Whether somebody ruled that these two groups are not one."""
        return not self._enemies[a].isdisjoint(self.profiles[b])

    def differ(self, a: Key, b: Key, types: Iterable[str]) -> bool:
        """Whether both groups have values of one of these types, and none in common."""
        ours, theirs = self._marks[a], self._marks[b]
        return any(
            ours[mark].isdisjoint(theirs[mark])
            for mark in ours.keys() & theirs.keys()
            if mark[0] in types
        )

    def join(self, a: Key, b: Key) -> None:
        root, other = min(a, b), max(a, b)
        self._parent[other] = root
        self.profiles[root] |= self.profiles.pop(other)
        self._enemies[root] |= self._enemies.pop(other, set())
        for mark, values in self._marks.pop(other, {}).items():
            self._marks[root].setdefault(mark, set()).update(values)


class _Party:
    """Holders of one value who are one person, from the first of them on."""

    def __init__(self, first: Holding) -> None:
        self.holdings = [first]
        self.closed_at: datetime | None = None

    @property
    def profile(self) -> Key:
        return self.holdings[0].profile

    @property
    def last_at(self) -> datetime:
        return max(held.last_at for held in self.holdings)


def resolve(facts: Facts, policy: Policy) -> Resolution:
    """Who belongs together."""
    groups = _Groups(facts)
    reviews = _follow_rulings(groups, facts.rulings)
    parties: dict[Value, list[_Party]] = {}
    by_value: dict[Value, list[Holding]] = defaultdict(list)
    for held in facts.holdings:
        by_value[held.type, held.value].append(held)
    standings = {(h.profile, h.type, h.value): Standing(REVIEW) for h in facts.holdings}
    for kind, rule in policy.types.items():
        able: dict[Value, list[Holding]] = {}
        for at in sorted(at for at in by_value if at[0] == kind):
            barrier = facts.barred.get(at)
            if barrier is None and len(by_value[at]) > rule.profiles_max:
                barrier = OVERUSED
            if barrier is None:
                able[at] = by_value[at]
                continue
            standings |= {(h.profile, *at): Standing(barrier) for h in by_value[at]}
            if barrier == OVERUSED:
                reviews.append(Review(TOO_MANY, *at, ()))
        parties |= _join(groups, facts.channels, able, rule)
    for at, found in parties.items():
        _judge(groups, at, found, standings, reviews)
    return Resolution({p: groups.of(p) for p in facts.channels}, standings, reviews)


def _follow_rulings(groups: _Groups, rulings: list[Ruling]) -> list[Review]:
    """Join who was said to be one, unless that unites two who were said not to be."""
    contradictions = []
    for said in sorted((r for r in rulings if r.is_one), key=lambda r: (r.at, r.left, r.right)):
        a, b = groups.of(said.left), groups.of(said.right)
        if a == b:
            continue
        if groups.are_apart(a, b):
            pair = (said.left, said.right)
            contradictions.append(Review(CONTRADICTED, "", said.left, pair))
        else:
            groups.join(a, b)
    return contradictions


def _join(
    groups: _Groups,
    channels: dict[Key, str],
    by_value: dict[Value, list[Holding]],
    rule: TypeRule,
) -> dict[Value, list[_Party]]:
    """Join the holders of values of one type, those who showed theirs first before others."""
    parties: dict[Value, list[_Party]] = {at: [] for at in by_value}
    every = [held for holdings in by_value.values() for held in holdings]
    for held in sorted(every, key=lambda h: (h.first_at, h.value, h.profile)):
        known = parties[held.type, held.value]
        home = groups.of(held.profile)
        living = [party for party in known if party.closed_at is None]
        own = next((party for party in living if groups.of(party.profile) == home), None)
        if own is not None:
            own.holdings.append(held)
            continue
        if len(living) == 1 and rule.joins:
            (party,) = living
            if _is_another(groups, channels, party, held, rule):
                if _is_overdue(party, held, rule):
                    party.closed_at = held.first_at
            elif not groups.are_apart(groups.of(party.profile), home):
                groups.join(groups.of(party.profile), home)
                party.holdings.append(held)
                continue
        known.append(_Party(held))
    return parties


def _is_another(
    groups: _Groups, channels: dict[Key, str], party: _Party, held: Holding, rule: TypeRule
) -> bool:
    """Whether what is known says that the newcomer is not the person who holds the value.

    A channel lets one account have a number at a time: long after, a second account of it is a
    new person's.
    """
    if groups.differ(groups.of(party.profile), groups.of(held.profile), rule.unless_differ):
        return True
    return _is_overdue(party, held, rule) and channels[held.profile] in {
        channels[holding.profile] for holding in party.holdings
    }


def _is_overdue(party: _Party, held: Holding, rule: TypeRule) -> bool:
    after = rule.reassigned_after
    return after is not None and held.first_at - party.last_at >= after


def _judge(
    groups: _Groups,
    at: Value,
    parties: list[_Party],
    standings: dict[At, Standing],
    reviews: list[Review],
) -> None:
    """What a value does for each holder in the end, and whether a person has to look at it."""
    current = [party for party in parties if party.closed_at is None]
    first = groups.of(current[0].profile)
    for party in parties:
        member = groups.of(party.profile)
        standing = Standing(JOINS)
        if member != first:
            apart = groups.are_apart(member, first)
            standing = Standing(APART if apart else REVIEW)
            if party.closed_at is not None:
                standing = Standing(CLOSED, party.closed_at)
            if not apart:
                kind = SHARED if party.closed_at is None else REASSIGNED
                holders = {h.profile for one in parties for h in one.holdings}
                reviews.append(Review(kind, *at, tuple(sorted(holders))))
        standings |= {(held.profile, *at): standing for held in party.holdings}


def components(edges: Iterable[tuple[Key, Key]]) -> dict[Key, Key]:
    """The smallest node of its component for each node that the edges name."""
    parent: dict[Key, Key] = {}

    def root(node: Key) -> Key:
        while (above := parent.setdefault(node, node)) != node:
            parent[node] = parent[above]
            node = above
        return node

    for left, right in edges:
        a, b = root(left), root(right)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return {node: root(node) for node in list(parent)}
