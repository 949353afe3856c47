"""An account of points against a model that moves single points minute by minute."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import earning
from hub.domain.ids import Key
from hub.domain.points import Account, Lot, Step
from hub.domain.settling import settle
from tests.event_maker import START, at

MINUTES = 40
GRACE = (earning.grace_until(at(0)) - START).total_seconds() // 60
PROFILE = b"p" * 16


@dataclass(frozen=True)
class Earned:
    """Points of one lot; open from a minute on, ended at another."""

    name: int
    points: int
    earned: int
    opens: int
    ends: int | None


@dataclass
class Point:
    """A single point: where it is, and when it ends as an open one."""

    lot: Earned
    state: str = "pending"
    ends: float = float("inf")
    use: int | None = None


@dataclass
class Model:
    """Each point for itself; a spending that finds none waits in a queue of debts."""

    points: list[Point]
    debts: list[int] = field(default_factory=list)
    taken: list[tuple[int, Point | None]] = field(default_factory=list)

    def minute(self, now: int) -> None:
        moments = sorted({p.lot.opens for p in self.points if p.lot.opens == now})
        self._end(now)
        for point in self.points if moments else ():
            if point.state == "pending" and point.lot.opens == now:
                self._open(point)
        self._pay()

    def _end(self, now: int) -> None:
        for point in self.points:
            if point.state == "open" and point.ends <= now:
                point.state = "expired"

    def _open(self, point: Point) -> None:
        point.state = "open"
        point.ends = float("inf") if point.lot.ends is None else point.lot.ends

    def _pay(self) -> None:
        while self.debts and any(p.state == "open" for p in self.points):
            self._use(self.debts.pop(0))

    def take(self, use: int, points: int) -> None:
        for _ in range(points):
            self._use(use)

    def _use(self, use: int) -> None:
        usable = [p for p in self.points if p.state == "open"]
        if not usable:
            self.debts.append(use)
            return
        first = min(usable, key=lambda p: (p.ends, p.lot.earned, p.lot.name))
        first.state, first.use = "used", use
        self.taken.append((use, first))

    def give_back(self, use: int, points: int, now: int) -> None:
        for _ in range(points):
            if use in self.debts:
                self.debts.reverse()
                self.debts.remove(use)
                self.debts.reverse()
                continue
            last = next(i for i in reversed(range(len(self.taken))) if self.taken[i][0] == use)
            point = self.taken.pop(last)[1]
            assert point is not None
            point.state, point.use = "open", None
            if point.lot.ends is not None:
                point.ends = point.lot.ends if point.lot.ends > now else GRACE
        self._pay()


def lot_of(earned: Earned) -> Lot:
    name = earned.name.to_bytes(16)
    ends = at(earned.ends) if earned.ends is not None else None
    times = (at(earned.earned), at(earned.opens), ends, None)
    return Lot(name, PROFILE, earned.points, earned.points, 0, 0, 0, *times, None, "rule")


LOTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 20), st.integers(0, 8), st.integers(1, 20)),
    max_size=5,
)
USES = st.lists(
    st.tuples(st.integers(0, 25), st.integers(1, 6), st.integers(0, 12), st.integers(0, 6)),
    max_size=5,
)


@given(lots=LOTS, uses=USES, seed=st.integers(0, 99))
def test_an_account_is_what_its_single_points_are(
    lots: list[tuple[int, int, int, int]], uses: list[tuple[int, int, int, int]], seed: int
) -> None:
    earned = [
        Earned(i, points, at_, at_ + wait, at_ + wait + left if left % 3 else None)
        for i, (points, at_, wait, left) in enumerate(lots)
    ]
    steps = [(i, minute, -points) for i, (minute, points, _, _) in enumerate(uses)]
    steps += [
        (i, minute + later, min(back, points))
        for i, (minute, points, later, back) in enumerate(uses)
        if back and later
    ]
    model = played(earned, steps)
    account, settled = told(earned, steps, seed)
    assert account.debt_points == len(model.debts)
    for one in earned:
        states = [p.state for p in model.points if p.lot is one]
        lot = settled[one.name.to_bytes(16)]
        assert (lot.pending_points, lot.open_points, lot.expired_points) == (
            states.count("pending"),
            states.count("open"),
            states.count("expired"),
        )
    issued = sum(one.points for one in earned)
    spent = -sum(points for _, _, points in steps)
    assert issued + account.debt_points == (
        account.pending_points + account.open_points + account.expired_points + spent
    )


def played(earned: list[Earned], steps: list[tuple[int, int, int]]) -> Model:
    model = Model([Point(one) for one in earned for _ in range(one.points)])
    for now in range(MINUTES + 1):
        model.minute(now)
        for use, _, points in sorted(s for s in steps if s[1] == now and s[2] < 0):
            model.take(use, -points)
        for use, _, points in sorted(s for s in steps if s[1] == now and s[2] > 0):
            model.give_back(use, points, now)
    return model


def told(
    earned: list[Earned], steps: list[tuple[int, int, int]], seed: int
) -> tuple[Account, dict[Key, Lot]]:
    account = Account(PROFILE, settled_at=at(MINUTES))
    lots = {lot.lot_id: lot for lot in map(lot_of, earned)}
    mixed: Sequence[Step] = [Step(use.to_bytes(16), at(m), points) for use, m, points in steps]
    settle(account, lots, random.Random(seed).sample(mixed, len(mixed)))
    return account, lots
