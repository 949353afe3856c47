"""Who is one person, against a registrar who keeps people as plain sets: whatever is told, in
whatever order.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain import matching, policy
from hub.domain.matching import Facts, Holding, Resolution, Ruling
from tests.event_maker import START

CHANNELS = {1: "web", 2: "web", 3: "mini", 4: "mini", 5: "store", 6: "store"}
"""Six accounts, two of a channel."""
KINDS = ("unionid", "phone", "email")
SHARED_MAX = 4
RETURNED_DAYS = 90
POLICY = policy.read(
    {
        "version": "t",
        "types": [
            {"type": "unionid"},
            {
                "type": "phone",
                "unless_differ": ["unionid"],
                "profiles_max": SHARED_MAX,
                "reassigned_after_days": RETURNED_DAYS,
            },
            {"type": "email", "unless_differ": ["unionid"]},
        ],
    }
)
ACCOUNTS = st.sampled_from(sorted(CHANNELS))
PAIRS = st.tuples(ACCOUNTS, ACCOUNTS).filter(lambda pair: pair[0] != pair[1])
BACK = st.sampled_from([0, 0, 2, 40, 100])
"""Days by which a fact is told late."""
Shown = tuple[int, str, str]
"""(account, type, value)"""


def key(account: int) -> bytes:
    return account.to_bytes(16)


@dataclass
class Hand:
    """Accounts of one person that show a value, and the last day they did."""

    accounts: list[int]
    last: float
    closed: float | None = None


@dataclass
class Registrar:
    """The independent model: people as sets of accounts, told what holds in the end.

    proofs: the days on which a value was shown. words: (day, is one) of a pair.
    """

    people: list[set[int]]
    proofs: dict[Shown, list[float]]
    words: dict[frozenset[int], tuple[float, bool]]
    closed: dict[Shown, float] = field(default_factory=dict)

    def register(self) -> "Registrar":
        for _, pair in sorted(
            (day, sorted(p)) for p, (day, is_one) in self.words.items() if is_one
        ):
            self._unite(pair[0], pair[1])
        every: dict[tuple[str, str], list[Hand]] = {}
        for kind in KINDS:
            hands: dict[str, list[Hand]] = {}
            shown = [(min(days), v, a) for (a, k, v), days in self.proofs.items() if k == kind]
            for first, value, account in sorted(shown):
                if kind == "phone" and self._is_a_tablets(value):
                    continue
                last = max(self.proofs[account, kind, value])
                self._show(hands.setdefault(value, []), kind, account, (first, last))
            every |= {(kind, value): known for value, known in hands.items()}
        # Only now is it known who is one person: weaker evidence may unite what a number did not.
        for (kind, value), known in every.items():
            self._close(kind, value, known)
        return self

    def person(self, account: int) -> set[int]:
        return next(one for one in self.people if account in one)

    def _unite(self, a: int, b: int) -> bool:
        both = self.person(a) | self.person(b)
        if any(pair <= both for pair, (_, is_one) in self.words.items() if not is_one):
            return self.person(a) is self.person(b)
        self.people = [one for one in self.people if not one & both] + [both]
        return True

    def _is_a_tablets(self, value: str) -> bool:
        return sum(k == "phone" and v == value for _, k, v in self.proofs) > SHARED_MAX

    def _unionids(self, account: int) -> set[str]:
        return {v for a, k, v in self.proofs if k == "unionid" and a in self.person(account)}

    def _show(self, hands: list[Hand], kind: str, account: int, days: tuple[float, float]) -> None:
        current = [hand for hand in hands if hand.closed is None]
        for hand in current:
            if hand.accounts[0] in self.person(account):
                hand.accounts.append(account)
                hand.last = max(hand.last, days[1])
                return
        if len(current) == 1:
            (hand,) = current
            is_late = kind == "phone" and days[0] - hand.last >= RETURNED_DAYS
            if self._is_another(hand, kind, account, is_late):
                hand.closed = days[0] if is_late else None
            elif self._unite(hand.accounts[0], account):
                hand.accounts.append(account)
                hand.last = max(hand.last, days[1])
                return
        hands.append(Hand([account], days[1]))

    def _is_another(self, hand: Hand, kind: str, account: int, is_late: bool) -> bool:
        ours, theirs = self._unionids(account), self._unionids(hand.accounts[0])
        if kind != "unionid" and ours and theirs and not ours & theirs:
            return True
        return is_late and CHANNELS[account] in {CHANNELS[one] for one in hand.accounts}

    def _close(self, kind: str, value: str, hands: list[Hand]) -> None:
        """A number is taken from who is not the person that has it now."""
        (has_it, *_) = [hand for hand in hands if hand.closed is None]
        for hand in hands:
            if hand.closed is not None and hand.accounts[0] not in self.person(has_it.accounts[0]):
                self.closed |= {(one, kind, value): hand.closed for one in hand.accounts}


class IdentityMachine(RuleBasedStateMachine):
    """Tells, late and early, what accounts prove and people say, and forgets."""

    def __init__(self) -> None:
        super().__init__()
        self.day = 1_000.0
        self.accounts: set[int] = set()
        self.proofs: dict[Shown, list[float]] = {}
        self.words: dict[frozenset[int], tuple[float, bool]] = {}

    def now(self, back: int = 0) -> float:
        # Each moment is another one: what ties come to is told by name in test_matching.
        self.day += 1 + 1 / 128
        return self.day - back

    @rule(account=ACCOUNTS)
    def an_account_registers(self, account: int) -> None:
        self.accounts.add(account)

    @rule(account=ACCOUNTS, kind=st.sampled_from(KINDS), value=st.sampled_from("xyz"), back=BACK)
    def an_account_proves(self, account: int, kind: str, value: str, back: int) -> None:
        self.accounts.add(account)
        self.proofs.setdefault((account, kind, value), []).append(self.now(back))

    @rule(days=st.sampled_from([30, RETURNED_DAYS]))
    def time_passes(self, days: int) -> None:
        self.day += days

    @rule(pair=PAIRS, back=BACK, is_one=st.booleans())
    def a_person_rules(self, pair: tuple[int, int], back: int, is_one: bool) -> None:
        self.accounts |= set(pair)
        said = (self.now(back), is_one)
        named = frozenset(pair)
        self.words[named] = max(self.words.get(named, said), said)

    @rule(account=ACCOUNTS, back=BACK)
    @precondition(lambda self: self.accounts)
    def an_account_is_erased(self, account: int, back: int) -> None:
        self.accounts.add(account)
        until = self.now(back)
        self.proofs = {
            shown: left
            for shown, days in self.proofs.items()
            if (left := [day for day in days if shown[0] != account or day > until])
        }
        self.words = {p: w for p, w in self.words.items() if account not in p or w[0] > until}

    def resolve(self, seed: int = 0) -> Resolution:
        holdings = [
            Holding(key(account), kind, value.encode(), moment(min(days)), moment(max(days)))
            for (account, kind, value), days in self.proofs.items()
        ]
        pairs = [(*sorted(pair), *word) for pair, word in self.words.items()]
        rulings = [Ruling(key(a), key(b), is_one, moment(day)) for a, b, day, is_one in pairs]
        accounts = sorted(self.accounts)
        for told in (holdings, rulings, accounts):
            random.Random(seed).shuffle(told)
        channels = {key(account): CHANNELS[account] for account in accounts}
        return matching.resolve(Facts(channels, holdings, rulings), POLICY)

    @invariant()
    def the_registrar_agrees(self) -> None:
        found = self.resolve()
        alone = [{account} for account in self.accounts]
        registrar = Registrar(alone, self.proofs, self.words).register()
        for account in self.accounts:
            assert found.members[key(account)] == key(min(registrar.person(account)))
        closed = {at: one.valid_to for at, one in found.standings.items() if one.valid_to}
        assert closed == {
            (key(account), kind, value.encode()): moment(day)
            for (account, kind, value), day in registrar.closed.items()
        }

    @invariant()
    def who_was_parted_is_not_one_member(self) -> None:
        members = self.resolve().members
        for (a, b), (_, is_one) in self.words.items():
            assert is_one or members[key(a)] != members[key(b)]

    @invariant()
    def a_value_joins_one_member_at_most(self) -> None:
        found = self.resolve()
        of: dict[tuple[str, bytes], set[bytes]] = {}
        for (profile, kind, value), standing in found.standings.items():
            if standing.name == matching.JOINS:
                of.setdefault((kind, value), set()).add(found.members[profile])
        assert all(len(members) == 1 for members in of.values())

    @invariant()
    def any_order_of_arrival_is_the_same(self) -> None:
        first = self.resolve()
        assert all(self.resolve(seed) == first for seed in (1, 2))


def moment(day: float) -> datetime:
    return START + timedelta(days=day)


TestIdentityMachine = IdentityMachine.TestCase
