"""What waits of each subscription, in memory: the first of it, as Postgres has it.

Filled from Postgres, kept up to date by what is noted and by what ends; whatever else happens is
seen when it is filled again. No I/O here.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from hub.store.deliveries import WINDOW, Delivery

LENGTH_MAX = 2 * WINDOW


class Queue:
    """The first that wait of one subscription, in their order."""

    def __init__(self, waiting: Iterable[Delivery]) -> None:
        """`waiting`: as `deliveries.waiting` gave it."""
        self._waiting = {one.delivery_id: one for one in waiting}
        self.is_whole = len(self._waiting) < WINDOW

    @property
    def is_used_up(self) -> bool:
        """Whether what comes next has to be read."""
        return not self._waiting and not self.is_whole

    def add(self, noted: Iterable[Delivery]) -> None:
        """What was noted just now: it waits behind all others, or is one of them that changed."""
        for one in noted:
            if one.delivery_id in self._waiting or self.is_whole:
                self._waiting[one.delivery_id] = one
                self.is_whole = self.is_whole and len(self._waiting) < LENGTH_MAX

    def end(self, sent: Delivery) -> None:
        """It was delivered; what changed while it was sent waits on."""
        known = self._waiting.get(sent.delivery_id)
        if known is not None and known.generation == sent.generation:
            del self._waiting[sent.delivery_id]

    def due(self, busy: Collection[str], now: datetime, room: int) -> list[Delivery]:
        """Those that go now, at most `room`: of each object the first alone, and none of those
        that are `busy`."""
        seen, due = set(busy), []
        for one in self._waiting.values():
            if len(due) >= room:
                break
            if one.order_key in seen:
                continue
            seen.add(one.order_key)  # what comes after it waits, whether it goes now or not
            if one.next_at <= now:
                due.append(one)
        return due
