"""The ledger of points against a bookkeeper who moves single points day by day: earned and waiting,
spent, held, captured, given back, taken back, expired, told late or in time."""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from hub.domain import decisions, events, ids, points, settling, spends
from hub.domain.decisions import Decision
from hub.domain.earning import Terms
from hub.domain.envelope import Event, Outcome
from hub.domain.ids import derived
from hub.domain.points import Account, Entry, Lot, Step
from tests.event_maker import Shop, at
from tests.unit.domain.single_points import Earned, Model, played

PROFILE = ids.profile_id("web", "a")
GRACE_DAYS = 30
"""Of the rule the hub comes with. Days of tests are at 16:00, and grace ends with a day."""
NUMBERS = st.sampled_from(["N1", "N2", "N3"])
POINTS = st.integers(1, 6)
BACK = st.integers(0, 5)
"""Days by which something is told late."""


def day(number: float) -> datetime:
    return at(number * 1440)


def grace(returned: int) -> float:
    return returned + GRACE_DAYS + 1 / 3


def spend_id(number: str) -> bytes:
    return ids.spend_id("web", "1", number)


@dataclass
class Slip:
    """What the bookkeeper notes of one order: (day, rank, kind, points). A hold ends `length` days
    after it was placed."""

    number: str
    notes: list[tuple[int, int, str, int]] = field(default_factory=list)
    length: int = 0
    steps: list[tuple[int, int, int]] = field(default_factory=list)
    held: int = 0
    spent: int = 0
    returned: int = 0

    def note(self, on: int, kind: str, amount: int) -> None:
        rank = ("hold", "spent", "captured", "redeemed", "voided", "expired", "returned").index(
            kind
        )
        self.notes = sorted([*self.notes, (on, rank, kind, amount)])
        self._tell()

    def name(self, use: str | None = None) -> int:
        """The number under which the points of this order were taken."""
        named = () if use is None else (use.encode(),)
        return int.from_bytes(derived("use", spend_id(self.number), *named))

    def _tell(self) -> None:
        self.steps, self.held, self.spent, self.returned = [], 0, 0, 0
        decided = [amount for _, _, kind, amount in self.notes if kind in ("captured", "spent")]
        self._spent_as: int | None = None
        for on, _, kind, amount in self.notes:
            getattr(self, f"_{kind}")(on, amount, decided)

    def _hold(self, on: int, amount: int, decided: list[int]) -> None:
        self.held = amount
        self.steps.append((self.name("h"), on, -amount))

    def _spent(self, on: int, amount: int, decided: list[int]) -> None:
        self.steps.append((self.name(""), on, -amount))
        self.spent, self._spent_as = amount, self.name("")

    def _captured(self, on: int, amount: int, decided: list[int]) -> None:
        if self.held:
            self._free(on, self.held - amount)
            self.spent, self._spent_as = amount, self.name("h")

    def _redeemed(self, on: int, amount: int, decided: list[int]) -> None:
        assert len(decided) <= 1
        is_live = self.held > 0 and on < self.ends
        if is_live and self.held >= amount and decided in ([], [amount]):
            self._captured(on, amount, decided)
        elif not decided and not self.spent:
            self.steps.append((self.name(), on, -amount))
            self.spent, self._spent_as = amount, self.name()

    def _voided(self, on: int, amount: int, decided: list[int]) -> None:
        if self.held:
            self._free(on, self.held)

    _expired = _voided

    def _free(self, on: int, amount: int) -> None:
        self.held = 0
        if amount:
            self.steps.append((self.name("h"), on, amount))

    def _returned(self, on: int, amount: int, decided: list[int]) -> None:
        assert self._spent_as is not None
        self.returned += amount
        self.steps.append((self._spent_as, on, amount))

    @property
    def ends(self) -> int:
        """When the hold is over."""
        return next(on for on, _, kind, _ in self.notes if kind == "hold") + self.length

    @property
    def kinds(self) -> set[str]:
        return {kind for _, _, kind, _ in self.notes}


class PointsMachine(RuleBasedStateMachine):
    """Tells the ledger and the bookkeeper the same, and decides as the hub would."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.closed: int | None = None
        self.account = Account(PROFILE)
        self.lots: dict[bytes, Lot] = {}
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.moved: dict[tuple[Any, ...], tuple[int, int]] = {}
        self.earned: dict[bytes, Earned] = {}
        self.corrected: list[tuple[int, int, int]] = []
        self.slips: dict[str, Slip] = {}
        self.shop = Shop()
        self.told = 0

    def _key(self) -> bytes:
        self.told += 1
        return self.told.to_bytes(16)

    def _slip(self, number: str) -> Slip:
        return self.slips.setdefault(number, Slip(number))

    # What is earned, taken back and corrected.

    @rule(amount=POINTS, wait=st.integers(0, 4), life=st.integers(0, 12), back=BACK)
    def an_order_earns(self, amount: int, wait: int, life: int, back: int) -> None:
        key, on = self._key(), max(self.now - back, 0)
        ends = on + life if life else None
        self.earned[key] = Earned(self.told, amount, on, on + wait, ends)
        terms = Terms(amount, day(on), day(on + wait), day(ends) if ends else None, "rule")
        entry = Entry(key, PROFILE, "earned", amount, key, None, day(on), key, "rule")
        if self.account.only_gained:
            fresh: dict[bytes, Lot] = {}
            points.enter(self.account, fresh, [entry], {key: terms})
            points.gain(self.account, fresh.values())
            self.lots |= fresh
        else:
            self._post([entry], {key: terms})

    @precondition(lambda self: any(one.points > 0 for one in self.earned.values()))
    @rule(amount=POINTS, chance=st.randoms(use_true_random=False))
    def an_earning_is_refunded(self, amount: int, chance: random.Random) -> None:
        """In part or in full, before its points were spent or after."""
        key = chance.choice([key for key, one in self.earned.items() if one.points > 0])
        one = self.earned[key]
        gone = min(amount, one.points)
        self.earned[key] = Earned(one.name, one.points - gone, one.earned, one.opens, one.ends)
        by, on = self._key(), day(self.now)
        self._post([Entry(by, PROFILE, "reversed", -gone, key, None, on, by, "rule")])

    @rule(amount=st.integers(-6, 6).filter(bool), back=BACK)
    def points_are_adjusted(self, amount: int, back: int) -> None:
        key, on = self._key(), max(self.now - back, 0)
        if amount > 0:
            self.earned[key] = Earned(self.told, amount, on, on, None)
        else:
            self.corrected.append((self.told, on, amount))
        self._post([Entry(key, PROFILE, "adjusted", amount, key, None, day(on), key, "rule")])

    # What is spent.

    def _decide(self, number: str, kind: str, **data: Any) -> Event:
        decision = Decision(kind, "web", "1", number, {"order_number": number} | data)
        body = decisions.cloud_event(decision, f"d-{self.told}-{len(self.events)}", day(self.now))
        return self._enter(number, events.decode(body))

    def _enter(self, number: str, event: Event) -> Event:
        self.told += 1
        self.events[number].append(event)
        verdict = spends.fold(self.events[number]).verdicts[event.key]
        assert verdict.outcome is Outcome.APPLIED, verdict
        self._post([])
        return event

    def _taking(self, amount: int) -> dict[str, Any]:
        share = {"profile_id": ids.text(PROFILE), "points": amount}
        return {"account": "a", "points": amount, "shares": [share]}

    @rule(number=NUMBERS, amount=POINTS, length=st.integers(1, 4))
    def points_are_held(self, number: str, amount: int, length: int) -> None:
        slip = self._slip(number)
        if not slip.notes:
            slip.length = length
            slip.note(self.now, "hold", amount)
            until = day(self.now) + timedelta(days=length)
            self._decide(
                number, "hold.placed", hold_id="h", expires_at=until, **self._taking(amount)
            )

    @rule(number=NUMBERS, amount=POINTS)
    def points_are_spent(self, number: str, amount: int) -> None:
        slip = self._slip(number)
        if not slip.notes:
            slip.note(self.now, "spent", amount)
            self._decide(number, "points.spent", **self._taking(amount))

    @rule(number=NUMBERS, amount=POINTS, kind=st.sampled_from(["captured", "voided", "expired"]))
    def a_hold_ends(self, number: str, amount: int, kind: str) -> None:
        """In time it is captured, in part or whole, or voided; once it is over it expires."""
        slip = self._slip(number)
        if not slip.held:
            return
        is_over = self.now >= slip.ends
        if is_over != (kind == "expired"):
            self._is_refused(number, kind, min(amount, slip.held))
            return
        if kind == "captured" and "redeemed" in slip.kinds:
            return  # Refused: it was spent before.
        part = min(amount, slip.held)
        slip.note(self.now, kind, part)
        self._decide(
            number, f"hold.{kind}", hold_id="h", **({"points": part} if kind == "captured" else {})
        )

    def _is_refused(self, number: str, kind: str, amount: int) -> None:
        """A hold that timed out is captured by nobody, and does not expire before its time."""
        if kind == "voided":
            return
        data: dict[str, Any] = {"points": amount} if kind == "captured" else {}
        data |= {"hold_id": "h", "order_number": number}
        body = decisions.cloud_event(
            Decision(f"hold.{kind}", "web", "1", number, data), f"x-{self.told}", day(self.now)
        )
        event = events.decode(body)
        verdict = spends.fold([*self.events[number], event]).verdicts[event.key]
        assert verdict.outcome is Outcome.IGNORED

    @rule(number=NUMBERS, amount=POINTS, back=BACK)
    def the_channel_reports_what_was_redeemed(self, number: str, amount: int, back: int) -> None:
        slip, on = self._slip(number), max(self.now - back, 0)
        if {"redeemed", "returned"} & slip.kinds:
            return
        slip.note(on, "redeemed", amount)
        said = {"account": "a", "order_number": number, "points": amount}
        self._enter(number, self.shop.event("points.redeemed", on * 1440, **said))

    @rule(number=NUMBERS, amount=POINTS)
    def points_go_back(self, number: str, amount: int) -> None:
        slip = self._slip(number)
        left = slip.spent - slip.returned
        if left <= 0:
            return
        slip.note(self.now, "returned", min(amount, left))
        said = {"order_number": number, "points": min(amount, left)}
        event = self.shop.event("points.returned", self.now * 1440, **said)
        self._enter(number, event)

    # Time.

    @rule(days=st.sampled_from([1, 1, 2, 3, 8, 35]))
    def time_passes(self, days: int) -> None:
        self.now += days

    @rule()
    def days_are_closed(self) -> None:
        """Late, or twice."""
        self.closed = self.now
        self.account.settled_at = max(self.account.settled_at, day(self.now))
        self._post([])

    def _post(self, entries: list[Entry], terms: dict[bytes, Terms] | None = None) -> None:
        """Enter the difference between what the orders' movements were and what they are now."""
        sums: dict[tuple[Any, ...], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for number, told in self.events.items():
            for one in spends.movements(spend_id(number), spends.fold(told).state):
                at_ = (one.use_id, one.kind, one.occurred_at, one.cause)
                sums[at_] = sums[at_][0] + one.points, sums[at_][1] + one.held_points
        for at_ in sums.keys() | self.moved.keys():
            now, was = sums.get(at_, (0, 0)), self.moved.get(at_, (0, 0))
            if now != was:
                use_id, kind, on, cause = at_
                entry = Entry(
                    self._key(), PROFILE, kind, now[0] - was[0], None, None, on, cause, ""
                )
                entries.append(replace(entry, held_points=now[1] - was[1], use_id=use_id))
        self.moved = dict(sums)
        settling.post(self.account, self.lots, entries, self._steps(), terms or {})

    def _steps(self) -> list[Step]:
        steps: dict[tuple[bytes, datetime], int] = defaultdict(int)
        for (use_id, _, on, _), (amount, _) in self.moved.items():
            steps[use_id, on] += amount
        return [Step(use_id, on, amount) for (use_id, on), amount in steps.items()]

    # What has to hold.

    def _model(self) -> Model:
        sums: dict[tuple[int, int], int] = defaultdict(int)
        for slip in self.slips.values():
            for use, on, amount in slip.steps:
                sums[use, on] += amount
        used = [on for (_, on), amount in sums.items() if amount]
        until = max([self.closed if self.closed is not None else -1, *used], default=-1)
        steps = [(use, on, amount) for (use, on), amount in sums.items()]
        late = [one for one in self.corrected if one[1] > until]
        # A correction is there from its own time on, wherever the account's clock stands.
        until = max([until, *(on for _, on, _ in late)])
        model = played(self.earned.values(), steps + self.corrected, until, grace)
        # Lots that wait for nothing open without the clock; those of one moment together.
        at_once = [lot for lot in self.earned.values() if lot.opens == lot.earned > until]
        for moment in sorted({lot.opens for lot in at_once}):
            model.open([lot for lot in at_once if lot.opens == moment])
        return model

    @invariant()
    def the_bookkeeper_agrees(self) -> None:
        model = self._model()
        for key, one in self.earned.items():
            lot = self.lots[key]
            assert (lot.pending_points, lot.open_points, lot.expired_points) == model.count(one)
        assert self.account.debt_points == len(model.debts)

    @invariant()
    def the_books_balance(self) -> None:
        a = self.account
        assert a.issued_points + a.debt_points == (
            a.pending_points
            + a.held_points
            + a.open_points
            + a.spent_points
            + a.expired_points
            + a.reversed_points
        )
        assert a.held_points == sum(slip.held for slip in self.slips.values())
        assert a.spent_points == sum(slip.spent - slip.returned for slip in self.slips.values())

    @invariant()
    def what_the_hub_decided_stands(self) -> None:
        for number, slip in self.slips.items():
            for _, _, kind, amount in slip.notes:
                if kind in ("captured", "spent"):
                    state = spends.fold(self.events[number]).state
                    assert state.decided_points == amount

    @invariant()
    def any_order_of_arrival_is_the_same(self) -> None:
        """Told at once, the last first, it is the account that it came to step by step."""
        account = replace(self.account, pending_points=-1, open_points=-1, due_at=day(0))
        lots = {key: replace(lot, open_points=-1) for key, lot in reversed(self.lots.items())}
        settling.settle(account, lots, self._steps()[::-1])
        assert (account, lots) == (self.account, self.lots)


TestPointsMachine = PointsMachine.TestCase
