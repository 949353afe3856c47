"""Settling an account of points: its history told from the beginning. Pure.

Lots open and end, spendings take of the lot that ends first and give back; what nothing covers is a
debt, which the next lots to open repay. Told in the order of the times, so any order of arrival
ends with the same lots.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from heapq import heappop, heappush

from hub.domain import earning
from hub.domain.earning import NEVER, Terms
from hub.domain.ids import Key
from hub.domain.points import NO_TERMS, Account, Entry, Lot, Step, enter


def post(
    account: Account,
    lots: dict[Key, Lot],
    entries: Iterable[Entry],
    steps: Iterable[Step],
    terms: Mapping[Key, Terms] = NO_TERMS,
) -> list[Lot]:
    """Enter `entries` and `terms` into the account and settle it; the lots that changed.

    lots: all of the account, changed in place; steps: as for `settle`, those of the entries too.
    """
    before = {lot.lot_id: copy(lot) for lot in lots.values()}
    enter(account, lots, entries, terms)
    settle(account, lots, steps)
    return [lot for lot in lots.values() if before.get(lot.lot_id) != lot]


def settle(account: Account, lots: dict[Key, Lot], steps: Iterable[Step]) -> None:
    """Tell the account anew from all its lots and steps.

    steps: what each spending took and gave back, summed by time.
    """
    told = [step for step in steps if step.points]
    account.last_used_at = max((step.at for step in told), default=None)
    # A correction downwards takes from the other lots, as a spending would.
    told += [
        Step(lot.lot_id, lot.earned_at, lot.earned_points)
        for lot in lots.values()
        if lot.earned_points < 0
    ]
    telling = _Telling(lots)
    for step in sorted(told, key=lambda s: (s.at, s.points > 0, s.use_id)):
        telling.advance(step.at)
        if step.points < 0:
            telling.take(step.use_id, -step.points)
        else:
            telling.give_back(step)
    telling.advance(account.as_of)
    telling.open_at_once()
    telling.write(account)


class _Use:
    """What one spending took of which lots, the newest last, and what nothing covers yet.

    early_points came back before they were taken: clocks of two systems differ.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[Key, int]] = []
        self.short_points = 0
        self.early_points = 0


Bucket = tuple[datetime, datetime, Key]
"""Open points of one lot that end at one time: (ends at, earned at, lot). Sorts as it is spent."""


class _Telling:
    """An account's lots and spendings as its history is told, from the beginning to a time."""

    def __init__(self, lots: dict[Key, Lot]) -> None:
        self._lots = lots
        self._unopened = sorted(
            (lot for lot in lots.values() if lot.earned_points > 0),
            key=lambda lot: (lot.opens_at, lot.earned_at, lot.lot_id),
            reverse=True,
        )
        self._buckets: list[Bucket] = []
        self._open: dict[Bucket, int] = {}
        self._expired: dict[Key, int] = {}
        self._uses: dict[Key, _Use] = {}
        self._short: list[_Use] = []

    def advance(self, to: datetime) -> None:
        """Open and expire what time opens and ends until then."""
        while self._unopened and self._unopened[-1].opens_at <= to:
            self._open_next()
        self._expire(to)

    def open_at_once(self) -> None:
        """Open the lots that wait for nothing, even if no day of their time was closed yet: the
        clock stays where it is, so nothing expires by it."""
        waiting = [lot for lot in self._unopened if lot.is_waiting]
        self._unopened = [lot for lot in self._unopened if not lot.is_waiting]
        while self._unopened:
            self._open_next()
        self._unopened = waiting

    def _open_next(self) -> None:
        """Open the lots of the next moment together: of them, too, the one that ends first pays."""
        now = self._unopened[-1].opens_at
        while self._unopened and self._unopened[-1].opens_at == now:
            lot = self._unopened.pop()
            self._put((lot.expires_at or NEVER, lot.earned_at, lot.lot_id), lot.earned_points)
        self._pay_debts()

    def _put(self, bucket: Bucket, points: int) -> None:
        if bucket not in self._open:
            heappush(self._buckets, bucket)
        self._open[bucket] = self._open.get(bucket, 0) + points

    def _pay_debts(self) -> None:
        while self._short and self._buckets:
            self._cover(self._short[0])
            if not self._short[0].short_points:
                self._short.pop(0)

    def _expire(self, at: datetime) -> None:
        while self._buckets and self._buckets[0][0] <= at:
            bucket = heappop(self._buckets)
            self._expired[bucket[2]] = self._expired.get(bucket[2], 0) + self._open.pop(bucket)

    def take(self, use_id: Key, points: int) -> None:
        """Take points for a spending, of the lot that ends first; what is missing is short."""
        use = self._uses.setdefault(use_id, _Use())
        early = min(points, use.early_points)
        use.early_points -= early
        was_short = use.short_points > 0
        use.short_points += points - early
        self._cover(use)
        if use.short_points and not was_short:
            self._short.append(use)

    def _cover(self, use: _Use) -> None:
        while use.short_points and self._buckets:
            bucket = self._buckets[0]
            points = min(use.short_points, self._open[bucket])
            use.short_points -= points
            use.taken.append((bucket[2], points))
            self._open[bucket] -= points
            if not self._open[bucket]:
                heappop(self._buckets)
                del self._open[bucket]

    def give_back(self, step: Step) -> None:
        """Give points of a spending back to the lots they came from: with the lot's own end, or a
        grace period where that has passed."""
        use, points = self._uses.setdefault(step.use_id, _Use()), step.points
        uncovered = min(points, use.short_points)
        use.short_points -= uncovered
        points -= uncovered
        if uncovered and not use.short_points:
            self._short.remove(use)
        while points and use.taken:
            lot_id, taken = use.taken.pop()
            back = min(points, taken)
            points -= back
            if taken > back:
                use.taken.append((lot_id, taken - back))
            lot = self._lots[lot_id]
            ends_at = lot.expires_at or NEVER
            if ends_at <= step.at:
                ends_at = step.grace_until or earning.SCHEME.grace_until(step.at)
            self._put((ends_at, lot.earned_at, lot_id), back)
        self._pay_debts()
        use.early_points += points

    def write(self, account: Account) -> None:
        """Put the result into the account and its lots."""
        pending = {lot.lot_id for lot in self._unopened}
        open_points: dict[Key, int] = {}
        grace: dict[Key, datetime] = {}
        for (ends_at, _, lot_id), points in self._open.items():
            open_points[lot_id] = open_points.get(lot_id, 0) + points
            if ends_at != (self._lots[lot_id].expires_at or NEVER):
                grace[lot_id] = max(grace.get(lot_id, ends_at), ends_at)
        for lot_id, lot in self._lots.items():
            lot.pending_points = lot.earned_points if lot_id in pending else 0
            lot.open_points = open_points.get(lot_id, 0)
            lot.expired_points = self._expired.get(lot_id, 0)
            lot.grace_until = grace.get(lot_id)
        account.pending_points = sum(lot.pending_points for lot in self._unopened)
        account.open_points = sum(open_points.values())
        account.expired_points = sum(self._expired.values())
        account.debt_points = sum(use.short_points for use in self._short)
        ends = [lot.opens_at for lot in self._unopened] + [bucket[0] for bucket in self._buckets]
        next_at = min(ends, default=NEVER)
        account.due_at = None if next_at == NEVER else next_at
