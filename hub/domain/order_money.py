"""The money of an order: payments, refunds, after-sale, the platform's bill. Pure.

Refunded and in flight never exceed what was paid, by line and by order; a compensation is a kind of
its own. What an order earns in points is in `hub.domain.orders`.
"""

from datetime import datetime

from msgspec.structs import replace

from hub.domain.envelope import APPLIED, Event, Verdict, ignored, parked
from hub.domain.order_data import Content, Payment
from hub.domain.order_money_data import Aftersale, Refund, Settlement
from hub.domain.order_state import AftersaleState, OrderState, RefundState
from hub.domain.reservations import Move


def paid(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    payment: Payment = event.data
    if payment.currency != content.currency:
        return ignored("the payment is in another currency than the order")
    if payment.payment_id in state.payments:
        return ignored("this payment is known already")
    state.payments = state.payments | {payment.payment_id: payment}
    state.paid_minor += payment.amount_minor
    if state.cancelled_at is not None:
        state.paid_late_minor += payment.amount_minor
    if state.paid_at is None and state.is_paid:
        state.paid_at = event.occurred_at
    return APPLIED


def settled(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    bill: Settlement = event.data
    if bill.payment_id in state.settlements:
        return ignored("this payment was settled already")
    state.settlements = state.settlements | {bill.payment_id: bill}
    return APPLIED


def refunding(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    refund: Refund = event.data
    if refund.refund_id in state.refunds:
        return ignored("this refund is known already")
    verdict = _fits(state, content, refund)
    if verdict is APPLIED:
        _keep(state, RefundState(refund, "processing", event.occurred_at))
    return verdict


def refunded(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    refund: Refund = event.data
    known = state.refunds.get(refund.refund_id)
    if known is not None and known.status == "succeeded":
        return ignored("this refund is known already")
    verdict = _fits(state, content, refund)
    if verdict is not APPLIED:
        return verdict
    at = event.occurred_at
    asked_at = known.asked_at if known is not None else at
    if refund.is_compensation:
        state.compensated_minor += refund.amount_minor
    else:
        state.refunded_minor += refund.amount_minor
    points = _points_back(state, content, refund)
    _keep(state, RefundState(refund, "succeeded", asked_at, at, points))
    if points:
        state.points_back = state.points_back | {event.key: (points, at)}
    _note_full_refund(state, content, at)
    return APPLIED


def refund_failed(state: OrderState, content: Content, event: Event, moves: list[Move]) -> Verdict:
    known = state.refunds.get(event.data)
    if known is None:
        return parked("refund.processing")
    if known.status != "processing":
        return ignored(f"the refund {known.status} before")
    _keep(state, replace(known, status="failed", ended_at=event.occurred_at))
    return APPLIED


def _fits(state: OrderState, content: Content, refund: Refund) -> Verdict:
    """Whether so much was paid that it can go back, beside what is on its way already."""
    if refund.currency != content.currency:
        return ignored("the refund is in another currency than the order")
    if refund.is_compensation:
        return APPLIED
    others = [
        one.refund
        for name, one in state.refunds.items()
        if name != refund.refund_id and one.status != "failed" and not one.refund.is_compensation
    ]
    in_all = refund.amount_minor + sum(one.amount_minor for one in others)
    if in_all > state.refund_limit_minor:
        return parked("order.paid")
    if refund.lines and _exceeds_a_line(content, [refund, *others]):
        return ignored("more would go back than a line of the order came to")
    return APPLIED


def _exceeds_a_line(content: Content, refunds: list[Refund]) -> bool:
    worth = {line.line: line.gross_minor - line.discount_minor for line in content.lines}
    for name in {name for refund in refunds for name in refund.lines}:
        if sum(refund.lines.get(name, 0) for refund in refunds) > worth.get(name, 0):
            return True
    return False


def _points_back(state: OrderState, content: Content, refund: Refund) -> int:
    """Of the points that paid for the order, those that go back with this refund: as it says, or by
    the share of the money that went back so far; the last refund takes the remainder."""
    left = content.tendered_points - sum(points for points, _ in state.points_back.values())
    if refund.is_compensation or not left:
        return 0
    if refund.points is not None:
        return min(refund.points, left)
    if state.refunded_minor >= state.paid_minor:
        return left
    target = content.tendered_points * state.refunded_minor // state.paid_minor
    return target - (content.tendered_points - left)


def _note_full_refund(state: OrderState, content: Content, at: datetime) -> None:
    points = sum(points for points, _ in state.points_back.values())
    is_whole = state.refunded_minor >= state.paid_minor and points >= content.tendered_points
    if is_whole and state.fully_refunded_at is None:
        state.fully_refunded_at = at


def _keep(state: OrderState, refund: RefundState) -> None:
    state.refunds = state.refunds | {refund.refund.refund_id: refund}


_AFTERSALE_STEPS = {
    "aftersale.approved": ("approved", ("requested",)),
    "aftersale.rejected": ("rejected", ("requested", "approved")),
    "aftersale.exchanged": ("exchanged", ("approved",)),
    "aftersale.closed": ("closed", ("requested", "approved")),
}
"""Type of event -> (status after it, statuses it may follow)."""


def aftersale_requested(
    state: OrderState, content: Content, event: Event, moves: list[Move]
) -> Verdict:
    wanted: Aftersale = event.data
    if wanted.aftersale_id in state.aftersales:
        return ignored("this request is known already")
    made = AftersaleState(wanted, "requested", event.occurred_at)
    state.aftersales = state.aftersales | {wanted.aftersale_id: made}
    return APPLIED


def aftersale_stepped(
    state: OrderState, content: Content, event: Event, moves: list[Move]
) -> Verdict:
    known = state.aftersales.get(event.data)
    if known is None:
        return parked("aftersale.requested")
    status, after = _AFTERSALE_STEPS[event.type]
    if known.status not in after:
        if status == "exchanged" and known.status == "requested":
            return parked("aftersale.approved")
        return ignored(f"the request was {known.status} before")
    ended_at = None if status == "approved" else event.occurred_at
    changed = replace(known, status=status, ended_at=ended_at)
    state.aftersales = state.aftersales | {event.data: changed}
    return APPLIED
