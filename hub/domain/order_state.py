"""An order as its events say, and what is read off that: statuses, what is due, what can go back.

Pure, and changed by nobody but the steps (`hub.domain.order_steps`, `order_money`).
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from hub.domain.earning import SCHEME, Scheme
from hub.domain.ids import Key
from hub.domain.order_data import Content, Payment, Pickup
from hub.domain.order_money_data import Aftersale, Refund, Settlement
from hub.domain.reservations import Reservation


class RefundState(Struct, frozen=True):
    """A refund, how far it is, and how many points of the order went back with it."""

    refund: Refund
    status: Literal["processing", "succeeded", "failed"]
    asked_at: datetime
    ended_at: datetime | None = None
    points: int = 0


class AftersaleState(Struct, frozen=True):
    """What the buyer wanted after the sale, and what became of it."""

    wanted: Aftersale
    status: Literal["requested", "approved", "rejected", "closed", "exchanged"]
    requested_at: datetime
    ended_at: datetime | None = None


class OrderState(Struct):
    """An order as its events say. Quantities by line number, in thousandths.

    is_parent: it was split, and its children count; rules: by which it earns; points_back: by the
    refund's event, how many points that paid for the order go back, and when.
    """

    is_parent: bool = False
    rules: Scheme = SCHEME
    content: Content | None = None
    account: str | None = None
    place: str | None = None
    pickup: Pickup | None = None
    fulfilled_milli: dict[str, int] = {}
    returned_milli: dict[str, int] = {}
    cancelled_milli: dict[str, int] = {}
    payments: dict[str, Payment] = {}
    settlements: dict[str, Settlement] = {}
    refunds: dict[str, RefundState] = {}
    aftersales: dict[str, AftersaleState] = {}
    points_back: dict[Key, tuple[int, datetime]] = {}
    paid_minor: int = 0
    paid_late_minor: int = 0
    refunded_minor: int = 0
    compensated_minor: int = 0
    fault: str | None = None
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    received_at: datetime | None = None
    no_show_at: datetime | None = None
    fulfilled_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    fully_refunded_at: datetime | None = None
    reservation: Reservation | None = None

    @property
    def counts(self) -> bool:
        """Whether it is a sale of its own: not a report of another order, nor split into some."""
        content = self.content
        if content is None:
            return True
        return not self.is_parent and not content.children and content.origin is None

    def left_of(self, line: str, ordered_milli: int) -> int:
        """What of a line is still to be given out."""
        left = ordered_milli - self.fulfilled_milli.get(line, 0)
        return left - self.cancelled_milli.get(line, 0) if self.cancelled_milli else left

    @property
    def left_milli(self) -> int:
        """What is still to be given out, over all lines."""
        if self.content is None:
            return 0
        ordered = sum(line.quantity_milli for line in self.content.lines)
        gone = sum(self.fulfilled_milli.values()) + sum(self.cancelled_milli.values())
        return ordered - gone

    @property
    def due_minor(self) -> int:
        """The money it costs: without what other tenders pay, and what was called off."""
        content = self.content
        if content is None:
            return 0
        due = content.total_minor - content.tendered_minor
        for line in content.lines if self.cancelled_milli else ():
            gone = self.cancelled_milli.get(line.line, 0)
            due -= (line.gross_minor - line.discount_minor) * gone // max(line.quantity_milli, 1)
        return max(due, 0)

    @property
    def is_paid(self) -> bool:
        return self.content is not None and self.paid_minor >= self.due_minor

    @property
    def awaits_delivery(self) -> bool:
        """Whether it is paid at the door and nobody has received it yet."""
        content = self.content
        return content is not None and content.is_paid_on_delivery and self.received_at is None

    @property
    def refunding_minor(self) -> int:
        """Refunds on their way, compensations aside."""
        if not self.refunds:
            return 0
        return sum(
            one.refund.amount_minor
            for one in self.refunds.values()
            if one.status == "processing" and not one.refund.is_compensation
        )

    @property
    def refund_limit_minor(self) -> int:
        """How much may go back in all: what was paid; twice an earnest that the merchant broke."""
        deposit = self.content.deposit if self.content is not None else None
        if deposit is not None and deposit.kind == "earnest" and self.fault == "merchant":
            return self.paid_minor + min(deposit.amount_minor, self.paid_minor)
        return self.paid_minor

    @property
    def refundable_minor(self) -> int:
        """What the hub would still let go back."""
        if self._is_forfeit:
            return 0
        return self.refund_limit_minor - self.refunded_minor - self.refunding_minor

    @property
    def forfeited_minor(self) -> int:
        """An earnest that the buyer lost by not paying the rest: income, but no sale."""
        return self.paid_minor - self.refunded_minor if self._is_forfeit else 0

    @property
    def _is_forfeit(self) -> bool:
        deposit = self.content.deposit if self.content is not None else None
        return (
            deposit is not None
            and deposit.kind == "earnest"
            and self.cancelled_at is not None
            and self.fault == "buyer"
            and not self.is_paid
        )

    @property
    def over_at(self) -> datetime | None:
        """When it was called off or refunded in full: what was used for it returns then."""
        cancelled_at, refunded_at = self.cancelled_at, self.fully_refunded_at
        if cancelled_at is None or refunded_at is None:
            return cancelled_at or refunded_at
        return min(cancelled_at, refunded_at)

    @property
    def status(self) -> str:
        if self.cancelled_at is not None:
            return "cancelled"
        return "completed" if self.completed_at is not None else "open"

    @property
    def payment_status(self) -> str:
        if self.refunded_minor > 0:
            return "refunded" if self.refunded_minor >= self.paid_minor else "partially_refunded"
        if self.is_paid:
            return "confirmed" if self.awaits_delivery else "paid"
        return "partially_paid" if self.paid_minor > 0 else "unpaid"

    @property
    def fulfilment_status(self) -> str:
        if not any(self.fulfilled_milli.values()):
            return "fulfilled" if self.fulfilled_at is not None else "unfulfilled"
        return "partially_fulfilled" if self.left_milli > 0 else "fulfilled"

    @property
    def return_status(self) -> str:
        returned = sum(self.returned_milli.values())
        if returned == 0:
            return "none"
        return "returned" if returned >= sum(self.fulfilled_milli.values()) else "partly_returned"
