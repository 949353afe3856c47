"""Batches of fresh goods: what is left of each, told from the movements of a position. Pure.

Movements that name a batch change it. All others give out what expires first, and never what was
past its best-before when they happened; so what is left does not depend on the order in which they
were heard. What no batch accounts for has no best-before.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from hub.domain.ids import Key


class Named(Struct, frozen=True):
    """A movement that names its batch: how much came (or went, below 0), in thousandths."""

    batch: str
    best_before_at: datetime | None
    on_hand_milli: int
    occurred_at: datetime
    movement_id: Key


class Batch(Struct):
    """What is left of a batch, in thousandths; best_before_at: None if nobody said."""

    batch: str
    best_before_at: datetime | None = None
    left_milli: int = 0

    def is_good(self, at: datetime | None) -> bool:
        """Whether it may be sold; at: None for before anything happened."""
        return at is None or self.best_before_at is None or at < self.best_before_at


Segments = Mapping[int, tuple[int, int]]
"""What came and what went without a batch, in thousandths, by the span of time between two cuts:
0 before the first cut, 1 from the first cut on."""


def cuts(named: Sequence[Named]) -> list[datetime]:
    """The times between which it makes no difference when something went."""
    ends = {one.best_before_at for one in named if one.best_before_at is not None}
    return sorted(ends | {one.occurred_at for one in named})


def tell(named: Sequence[Named], unnamed: Segments, on_hand_milli: int) -> list[Batch]:
    """What is left of each batch, by name; on_hand_milli: of the position, counts included."""
    listed = sorted(named, key=lambda one: (one.occurred_at, one.movement_id))
    batches = {one.batch: Batch(one.batch) for one in listed}
    for one in listed:  # the last word on its best-before counts for all of its time
        if one.best_before_at is not None:
            batches[one.batch].best_before_at = one.best_before_at
    edges: list[datetime | None] = [None, *cuts(listed)]
    loose = 0
    for number, begins_at in enumerate(edges):
        for one in listed:
            if one.occurred_at == begins_at:
                loose += _change(batches[one.batch], one.on_hand_milli)
        came, went = unnamed.get(number, (0, 0))
        good = [batch for batch in batches.values() if batch.is_good(begins_at)]
        loose += came - _take(good, went)
    # A count found more than was told, or less.
    loose += on_hand_milli - loose - sum(batch.left_milli for batch in batches.values())
    if loose < 0:
        _take(list(batches.values()), -loose)
    return [batches[name] for name in sorted(batches)]


def _change(batch: Batch, milli: int) -> int:
    """Change a batch; what it cannot give is nobody's, below 0."""
    batch.left_milli += milli
    if batch.left_milli >= 0:
        return 0
    missing, batch.left_milli = batch.left_milli, 0
    return missing


def _take(batches: Sequence[Batch], milli: int) -> int:
    """Take of what expires first; how much these could not give."""
    ends = sorted(
        batches,
        key=lambda one: (one.best_before_at is None, one.best_before_at or 0, one.batch),
    )
    for batch in ends:
        taken = min(batch.left_milli, milli)
        batch.left_milli -= taken
        milli -= taken
    return milli
