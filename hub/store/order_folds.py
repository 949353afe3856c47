"""Orders as one write folds them: before it, and event by event.

Since each event's effects are a difference of two folds, orders are folded after every event.
"""

from datetime import datetime

from hub.domain import orders
from hub.domain.envelope import Event
from hub.domain.order_data import OrderName
from hub.domain.orders import Folded
from hub.domain.supply import Supply


class Touched:
    """An order that a write changes: its names, its events, its folds before and after."""

    def __init__(
        self,
        name: OrderName,
        past: list[Event],
        since: datetime,
        *,
        is_parent: bool,
        supply: Supply,
    ) -> None:
        self.key = name.key
        self.channel = name.channel
        self.shop = name.shop
        self.number = name.order_number
        self.events = past
        self.first_received_at = since
        self._is_parent = is_parent
        self._supply = supply
        self.was = orders.fold(past, is_parent, supply)
        self.now = self.was

    def add(self, event: Event) -> tuple[Folded, Folded]:
        """Fold one more event in; the folds before and after it."""
        before = self.now
        self.events.append(event)
        self.now = orders.fold(self.events, self._is_parent, self._supply)
        return before, self.now

    def become_parent(self) -> tuple[Folded, Folded]:
        """Another order names it as its parent; the folds before and after."""
        before = self.now
        if not self._is_parent:
            self._is_parent = True
            self.now = orders.fold(self.events, True, self._supply)
        return before, self.now

    def supply_with(self, supply: Supply) -> tuple[Folded, Folded]:
        """Catalog or configuration say something else now; the folds before and after."""
        before = self.now
        self._supply = supply
        if self.events:
            self.now = orders.fold(self.events, self._is_parent, supply)
        return before, self.now
