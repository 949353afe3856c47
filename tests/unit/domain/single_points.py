"""A model of an account that moves single points from moment to moment: what tests of the ledger
compare with. Slow and simple, and shares nothing with the hub's own telling."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

FOREVER = float("inf")


@dataclass(frozen=True)
class Earned:
    """Points of one lot; open from a moment on, ended at another."""

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
    ends: float = FOREVER
    use: int | None = None


@dataclass
class Model:
    """Each point for itself; a spending that finds none waits in a queue of debts.

    grace: until when a point that comes back after its end can be spent, by when it came back.
    """

    points: list[Point]
    grace: Callable[[int], float]
    debts: list[int] = field(default_factory=list)
    taken: list[tuple[int, Point | None]] = field(default_factory=list)

    def pass_to(self, now: int) -> None:
        self._end(now)
        self.open([point.lot for point in self.points if point.lot.opens == now])
        self._end(now)

    def _end(self, now: int) -> None:
        for point in self.points:
            if point.state == "open" and point.ends <= now:
                point.state = "expired"

    def open(self, lots: Sequence[Earned]) -> None:
        for point in self.points:
            if point.state == "pending" and point.lot in lots:
                point.state = "open"
                point.ends = FOREVER if point.lot.ends is None else point.lot.ends
        self._pay()

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
                point.ends = point.lot.ends if point.lot.ends > now else self.grace(now)
        self._pay()

    def count(self, lot: Earned) -> tuple[int, int, int]:
        """How many points of a lot are pending, open and expired."""
        states = [p.state for p in self.points if p.lot is lot]
        return states.count("pending"), states.count("open"), states.count("expired")


def played(
    earned: Iterable[Earned],
    steps: Sequence[tuple[int, int, int]],
    until: int,
    grace: Callable[[int], float],
) -> Model:
    """The model after a history. steps: (use, moment, points: below 0 taken, above given back)."""
    model = Model([Point(one) for one in earned for _ in range(one.points)], grace)
    for now in range(until + 1):
        model.pass_to(now)
        for use, _, points in sorted(s for s in steps if s[1] == now and s[2] < 0):
            model.take(use, -points)
        for use, _, points in sorted(s for s in steps if s[1] == now and s[2] > 0):
            model.give_back(use, points, now)
    return model
