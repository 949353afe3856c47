"""A coupon against a till that keeps a simple list: whatever is told, in whatever order."""

import random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.domain import coupon_worth, coupons
from tests.unit.domain.coupon_story import Story

PAID_MINOR = 10_000
NAMES = st.sampled_from(["u-1", "u-2", "u-3", "u-4"])
BACK = st.integers(0, 30)
"""Minutes by which a fact is told late."""
Told = tuple[float, str, str | None, bool]
"""(minute, kind, redemption id, decided by the hub)"""


class Till:
    """The independent model: who holds a use, told in time order."""

    def __init__(self, uses: int) -> None:
        self.uses = uses
        self.holders: set[str] = set()
        self.is_frozen = False
        self.ending: str | None = None
        self.refund_waits = False
        self.seen: set[str] = set()

    def tell(self, told: list[Told]) -> "Till":
        undone = {name for _, kind, name, _ in told if kind == "redemption_reversed"}
        ahead = {name for _, kind, name, decided in told if decided and name not in undone}
        for _, kind, name, decided in sorted(told):
            if kind == "redeemed":
                assert name is not None
                is_promised = decided and name in ahead
                self._redeem(name, is_promised, len(ahead - self.seen))
            elif kind == "redemption_reversed":
                if name in self.holders:
                    self.holders.discard(name)
                    if self.refund_waits and self.ending is None:
                        self.ending, self.refund_waits = "refunded", False
            else:
                self._happen(kind, len(ahead - self.seen))
        return self

    def _happen(self, kind: str, ahead: int) -> None:
        if kind == "released":
            self.is_frozen = False
        elif self.ending is None and self._left(ahead) > 0:
            if kind == "frozen":
                self.is_frozen = True
            else:
                self.ending = kind
        elif kind == "refunded" and self.ending == "expired" and self.is_frozen:
            self.ending = "refunded"
        elif kind == "refunded" and self.ending is None:
            self.refund_waits = True

    def _left(self, ahead: int) -> int:
        return self.uses - len(self.holders) - ahead

    def _redeem(self, name: str, is_promised: bool, ahead: int) -> None:
        if name in self.seen:
            return
        self.seen.add(name)
        free = len(self.holders) < self.uses if is_promised else self._left(ahead) > 0
        is_open = is_promised or (self.ending is None and not self.is_frozen)
        if free and is_open:
            self.holders.add(name)


class CouponMachine(RuleBasedStateMachine):
    """Tells facts late and early, and decides as the hub would: under lock, on what it knows."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story()
        self.told: list[Told] = []
        self.clock = 100.0
        self.decided: set[str] = set()

    @initialize(uses=st.integers(1, 3))
    def issue(self, uses: int) -> None:
        self.uses = uses
        kind = "exchange" if uses == 1 else "times"
        self.story.issued(kind=kind, uses=uses, paid_amount="100.00", currency="CNY")

    def tell(self, kind: str, back: int, name: str | None = None, decided: bool = False) -> None:
        # Each moment is another one: what ties come to is told by name in test_coupons.
        self.clock += 1 + 1 / 64
        minute = self.clock - back
        data: dict[str, Any] = {"redemption_id": name} if name is not None else {}
        self.story.post(kind, minute, decided=decided, **data)
        self.told.append((minute, kind, name, decided))

    @rule(name=NAMES, back=BACK)
    def a_shop_redeems(self, name: str, back: int) -> None:
        if name not in self.decided and not self._was_undone_early(name):
            self.tell("redeemed", back, name)

    @rule(name=NAMES)
    def the_hub_redeems(self, name: str) -> None:
        known = {one[2] for one in self.told}
        if name in known:
            return
        before = list(self.story.events), list(self.told), set(self.decided)
        self.tell("redeemed", 0, name, decided=True)
        self.decided.add(name)
        one = self.story.state.redemptions["web", "1", name]
        may = self._allows(before[1])
        assert one.refusal is None or not may
        if not may:
            self.story.events, self.told, self.decided = before

    def _allows(self, told: list[Told]) -> bool:
        till = Till(self.uses).tell(told)
        return till.ending is None and not till.is_frozen and len(till.holders) < self.uses

    def _was_undone_early(self, name: str) -> bool:
        return any(kind == "redemption_reversed" and one == name for _, kind, one, _ in self.told)

    @rule(name=NAMES)
    def a_use_is_undone(self, name: str) -> None:
        if any(one == name and kind == "redeemed" for _, kind, one, _ in self.told):
            self.tell("redemption_reversed", 0, name)
            self.decided.discard(name)

    @rule(kind=st.sampled_from(["frozen", "released", "refunded", "voided", "expired"]), back=BACK)
    @precondition(lambda self: len(self.told) > 1)
    def something_happens(self, kind: str, back: int) -> None:
        self.tell(kind, back)

    @invariant()
    def the_till_agrees(self) -> None:
        if not hasattr(self, "uses"):
            return
        state = self.story.state
        till = Till(self.uses).tell(self.told)
        live = {key[2] for key, one in state.redemptions.items() if one.is_live}
        assert live == till.holders
        assert state.ending == till.ending
        assert len(live) <= self.uses

    @invariant()
    def what_the_hub_decided_stands(self) -> None:
        live = {key[2] for key, one in self.story.state.redemptions.items() if one.is_live}
        assert self.decided <= live

    @invariant()
    def money_is_owed_or_earned(self) -> None:
        state = self.story.state
        if state.issue is None:
            return
        earned = sum(coupon_worth.earnings(state).values())
        owed = coupon_worth.owed_minor(state)
        back = coupon_worth.refunded_minor(state)
        has_lapsed = state.ending in ("expired", "voided") and owed == back == 0
        assert earned + owed + back == PAID_MINOR or has_lapsed
        assert earned <= PAID_MINOR

    @invariant()
    def any_order_of_arrival_is_the_same(self) -> None:
        arrived = list(self.story.events)
        random.Random(len(arrived)).shuffle(arrived)
        assert coupons.fold(arrived) == self.story.fold()


TestCouponMachine = CouponMachine.TestCase
