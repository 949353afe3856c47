"""Orders as one write folds them: before it, and event by event.

Since each event's effects are a difference of two folds, orders are folded after every event.
"""

from datetime import datetime

from hub.domain import orders
from hub.domain.earning import Scheme
from hub.domain.envelope import Event
from hub.domain.order_data import OrderName
from hub.domain.orders import Folded

_UNTOLD = orders.fold([])
"""What is known of an order before its first event; nobody changes a fold once it is made."""


class Touched:
    """An order that a write changes: its names, its events, its folds before and after."""

    def __init__(
        self,
        name: OrderName,
        past: list[Event],
        since: datetime,
        *,
        is_parent: bool,
        rules: Scheme | None = None,
    ) -> None:
        self.key = name.key
        self.channel = name.channel
        self.shop = name.shop
        self.number = name.order_number
        self.events = past
        self.first_received_at = since
        self._is_parent = is_parent
        self._rules = rules
        self.was = self._fold() if past or is_parent else _UNTOLD
        self.now = self.was

    def add(self, event: Event) -> tuple[Folded, Folded]:
        """Fold one more event in; the folds before and after it."""
        before = self.now
        self.events.append(event)
        self.now = self._fold()
        return before, self.now

    def earn_by(self, rules: Scheme) -> tuple[Folded, Folded]:
        """Fold it by other rules from now on; the folds before and after."""
        before = self.now
        self._rules = rules
        self.now = self._fold()
        return before, self.now

    def become_parent(self) -> tuple[Folded, Folded]:
        """Another order names it as its parent; the folds before and after."""
        before = self.now
        if not self._is_parent:
            self._is_parent = True
            self.now = self._fold()
        return before, self.now

    def _fold(self) -> Folded:
        return orders.fold(self.events, self._is_parent, self._rules)
